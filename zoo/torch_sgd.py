r"""SGD as PyTorch computes it: with coupled weight decay.

Keras' optimizers shrink weights beside the gradient step (decoupled weight decay) and
multiply the learning rate into the momentum. The published recipes were tuned with the
other form, and where weights are standardised before they are binarized the decay sets
the effective learning rate, so that it is not a detail.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

__all__ = ["TorchSGD", "check_decayed_weights"]


def check_decayed_weights(decayed_weights: str) -> None:
    """Makes sure that names can be matched.

    # Raises
        ValueError: for no regular expression.
    """
    try:
        re.compile(decayed_weights)
    except re.error as error:
        raise ValueError(
            "Expected `decayed_weights` to be a regular expression, got "
            f"{decayed_weights!r}: {error}."
        ) from error


@tf.keras.utils.register_keras_serializable(package="zoo")
class TorchSGD(tf.keras.optimizers.SGD):
    r"""Stochastic gradient descent with momentum and coupled weight decay.

    \\[
    g = \nabla w + \lambda w, \qquad v \leftarrow \mu v + g, \qquad
    w \leftarrow w - \eta \cdot \begin{cases}
      g + \mu v & \text{Nesterov} \\\
      v & \text{else}
    \end{cases}
    \\]

    The same sequence of operations as `torch.optim.SGD`. Unless told otherwise the
    decay acts on every trainable weight, biases and batch normalisations included.

    # Arguments
        learning_rate: \\(\eta\\), a number or a schedule.
        momentum: \\(\mu\\), in [0, 1).
        nesterov: Whether to look one step ahead.
        weight_decay: \\(\lambda\\), not negative.
        decayed_weights: A regular expression that the whole name of a weight, such as
            "logits/kernel", has to match; \\(\lambda\\) is 0 for all others.
        kwargs: Further arguments of Keras optimizers.

    # Raises
        ValueError: for a momentum or weight decay out of its range, for `nesterov`
            without momentum, for no regular expression, and when it is built, if that
            matches none of the weights.

    # Example
        >>> w = tf.Variable(2.0)
        >>> optimizer = TorchSGD(0.1, momentum=0.0, weight_decay=0.5)
        >>> _ = optimizer.apply_gradients([(tf.constant(1.0), w)])
        >>> round(float(w), 6)  # 2 - 0.1 * (1 + 0.5 * 2)
        1.8
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.9,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        decayed_weights: str = ".*",
        name: str = "TorchSGD",
        **kwargs: Any,
    ):
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"Expected `momentum` in [0, 1), got {momentum!r}.")
        if not 0.0 <= weight_decay < math.inf:
            raise ValueError(
                f"Expected `weight_decay` to be 0 or positive, got {weight_decay!r}."
            )
        if nesterov and not momentum:
            raise ValueError("Expected momentum with `nesterov`, got 0.")
        check_decayed_weights(decayed_weights)
        super().__init__(
            learning_rate, momentum=momentum, nesterov=nesterov, name=name, **kwargs
        )
        self.coupled_weight_decay = weight_decay
        self.decayed_weights = decayed_weights

    def build(self, var_list: Iterable[tf.Variable]) -> None:
        """Makes the momenta of these weights, and decides which of them decay.

        # Raises
            ValueError: if none of them does, because of `decayed_weights`.
        """
        if getattr(self, "_built", False):
            return
        weights = list(var_list)
        # within replicas the names end otherwise: this is the place to look at them
        names = [weight.name.removesuffix(":0") for weight in weights]
        matches = [re.fullmatch(self.decayed_weights, name) for name in names]
        self._decayed = frozenset(i for i, match in enumerate(matches) if match)
        self._unnamed = [name for name in names if "/" not in name]
        if weights and not self._decayed:
            raise ValueError(
                f"Expected `decayed_weights` to match one of {len(names)} weights, "
                f"such as {names[0]!r}, got {self.decayed_weights!r}, which matches "
                "none."
            )
        super().build(weights)

    def update_step(self, gradient: Any, variable: tf.Variable) -> None:
        """One step of one weight.

        # Raises
            ValueError: if only some weights decay and names do not tell which: Keras
                leaves the layer out of some names when it loads a model.
        """
        if self._unnamed and self.decayed_weights != ".*":
            raise ValueError(
                "Expected weights with names such as 'logits/kernel' for "
                f"`decayed_weights`, got {self._unnamed[0]!r}, as in a model that was "
                "loaded. Build the network anew and give it the loaded weights."
            )
        gradient = tf.convert_to_tensor(gradient)  # rows of an embedding made dense
        index = self._index_dict[self._var_key(variable)]
        velocity = self.momentums[index]
        learning_rate = tf.cast(self.learning_rate, variable.dtype)
        if self.coupled_weight_decay and index in self._decayed:
            gradient += self.coupled_weight_decay * variable
        velocity.assign(self.momentum * velocity + gradient)
        step = gradient + self.momentum * velocity if self.nesterov else velocity
        variable.assign_sub(learning_rate * step)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "weight_decay": self.coupled_weight_decay,
            "decayed_weights": self.decayed_weights,
        }
