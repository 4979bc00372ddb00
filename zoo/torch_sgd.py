r"""SGD as PyTorch computes it: with coupled weight decay.

Keras' optimizers shrink weights beside the gradient step (decoupled weight decay) and
multiply the learning rate into the momentum. The published recipes were tuned with the
other form, and where weights are standardised before they are binarized the decay sets
the effective learning rate, so that it is not a detail.
"""

from typing import Any

import tensorflow as tf

from zoo.coupled_weight_decay import CoupledWeightDecay

__all__ = ["TorchSGD"]


@tf.keras.utils.register_keras_serializable(package="zoo")
class TorchSGD(CoupledWeightDecay, tf.keras.optimizers.SGD):
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
        if nesterov and not momentum:
            raise ValueError("Expected momentum with `nesterov`, got 0.")
        super().__init__(
            learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            decayed_weights=decayed_weights,
            name=name,
            **kwargs,
        )

    def update_step(self, gradient: Any, variable: tf.Variable) -> None:
        """One step of one weight."""
        gradient = self.coupled_gradient(gradient, variable)
        velocity = self.momentums[self.index_of(variable)]
        learning_rate = tf.cast(self.learning_rate, variable.dtype)
        velocity.assign(self.momentum * velocity + gradient)
        step = gradient + self.momentum * velocity if self.nesterov else velocity
        variable.assign_sub(learning_rate * step)
