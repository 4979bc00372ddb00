"""Weight decay as PyTorch's optimizers have it, on chosen weights."""

import math
import re
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

__all__ = ["CoupledWeightDecay", "check_decayed_weights"]


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


class CoupledWeightDecay:
    r"""A Keras optimizer whose gradients are those of \\(L + \lambda / 2 \, w^2\\).

    To be named in front of the optimizer's class. Unless told otherwise the decay acts
    on every trainable weight, biases and batch normalisations included.

    # Arguments
        weight_decay: \\(\lambda\\), not negative.
        decayed_weights: A regular expression that the whole name of a weight, such as
            "logits/kernel", has to match; \\(\lambda\\) is 0 for all others.
        kwargs: Arguments of the optimizer.

    # Raises
        ValueError: for a weight decay out of its range, for no regular expression, and
            when it is built, if that matches none of the weights.
    """

    def __init__(
        self,
        *args: Any,
        weight_decay: float = 0.0,
        decayed_weights: str = ".*",
        **kwargs: Any,
    ):
        if not 0.0 <= weight_decay < math.inf:
            raise ValueError(
                f"Expected `weight_decay` to be 0 or positive, got {weight_decay!r}."
            )
        check_decayed_weights(decayed_weights)
        super().__init__(*args, **kwargs)
        self.coupled_weight_decay = weight_decay
        self.decayed_weights = decayed_weights

    def build(self, var_list: Iterable[tf.Variable]) -> None:
        """Makes the state of these weights, and decides which of them decay.

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
        super().build(weights)  # type: ignore[misc]

    def index_of(self, variable: tf.Variable) -> int:
        """The place of a weight among those that the optimizer was built with."""
        return self._index_dict[self._var_key(variable)]  # type: ignore[attr-defined]

    def coupled_gradient(self, gradient: Any, variable: tf.Variable) -> tf.Tensor:
        """The gradient of one weight, decay included.

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
        if self.coupled_weight_decay and self.index_of(variable) in self._decayed:
            gradient += self.coupled_weight_decay * variable
        return gradient

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),  # type: ignore[misc]
            "weight_decay": self.coupled_weight_decay,
            "decayed_weights": self.decayed_weights,
        }
