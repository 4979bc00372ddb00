"""A method is a value: what one paper changes in a network, by the field's names.

Layers, zoo networks, recipes and reports take the name of a method and ask this
registry. A new paper is its quantizers, its layers if it needs any, and one entry here.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import larq as lq
import tensorflow as tf

__all__ = ["Method", "get", "names"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """The quantizers of one paper and what goes with them.

    # Attributes
        name: Name in the registry.
        title: Name as the field writes it, for tables and plots.
        input_quantizer: Alias of the activation quantizer; `None` keeps activations
            in full precision.
        kernel_quantizer: Alias of the weight quantizer; `None` keeps weights in full
            precision.
        kernel_constraint: Alias of the constraint on latent weights, or `None`.
        activation: Non-linearity that the method's networks use around binary layers.
        channel_scale: Whether its networks follow each binary convolution by a
            `larq_irnet.layers.ChannelScale`.
        estimator: Constants of the quantizers that are not their defaults, by argument.
        reference: The paper, as a link; empty for plain full precision.
    """

    name: str
    title: str
    input_quantizer: str | None = None
    kernel_quantizer: str | None = None
    kernel_constraint: str | None = None
    activation: str = "hard_tanh"
    channel_scale: bool = False
    estimator: Mapping[str, float | bool] = field(default_factory=dict, hash=False)
    reference: str = ""

    @property
    def is_weight_only(self) -> bool:
        """Whether weights are binary and activations are not."""
        return self.kernel_quantizer is not None and self.input_quantizer is None

    def make_input_quantizer(self) -> Any:
        """A fresh quantizer for the inputs of one layer, or `None`."""
        quantizer = lq.quantizers.get(self.input_quantizer)
        return _configured(quantizer, self.estimator)

    def make_kernel_quantizer(self, filter_axes: Sequence[int] = (-1,)) -> Any:
        """A fresh quantizer for one kernel, or `None`.

        # Arguments
            filter_axes: The axes of the kernel that index filters.
        """
        quantizer = lq.quantizers.get(self.kernel_quantizer)
        return _configured(
            quantizer, {**self.estimator, "filter_axes": list(filter_axes)}
        )

    def make_kernel_constraint(self, filter_axes: Sequence[int] = (-1,)) -> Any:
        """A fresh constraint for one kernel, or `None`.

        # Arguments
            filter_axes: The axes of the kernel that index filters.
        """
        constraint = tf.keras.constraints.get(self.kernel_constraint)
        return _configured(constraint, {"filter_axes": list(filter_axes)})

    def with_estimator(self, **constants: float | bool) -> "Method":
        """The same method with other constants of its surrogate gradient.

        # Arguments
            constants: Arguments of its quantizers; what only one of them has goes to
                that one.

        # Raises
            ValueError: for a constant that none of the quantizers has.

        # Example
            >>> method = get("irnet").with_estimator(t_min=1e-3)
            >>> method.make_input_quantizer().t_min
            0.001
        """
        method = replace(self, estimator={**self.estimator, **constants})
        known = sorted(method._constants())
        unknown = sorted(set(constants) - set(known))
        if unknown:
            raise ValueError(
                f"Expected constants of '{self.name}' out of {known}, got {unknown}."
            )
        return method

    def with_real_weights(self) -> "Method":
        """The same method with kernels as they are, neither binary nor constrained.

        Inputs stay binary: this is the first of two stages, of which the second starts
        from the weights of the first.

        # Example
            >>> method = get("recu").with_real_weights()
            >>> print(method.input_quantizer, method.kernel_quantizer)
            normalized_approx_sign None

        # References
            - [ReActNet: Towards Precise Binary Neural Network with Generalized
                Activation Functions](https://arxiv.org/abs/2003.03488)
        """
        return replace(self, kernel_quantizer=None, kernel_constraint=None)

    def _constants(self) -> set[str]:
        """The numbers and switches that the quantizers take; makes none for it."""
        registered = tf.keras.utils.get_custom_objects()
        quantizers = (self.input_quantizer, self.kernel_quantizer)
        return {
            parameter.name
            for alias in quantizers
            for base in getattr(registered.get(alias), "__mro__", ())
            if "__init__" in vars(base) and base not in tf.keras.layers.Layer.__mro__
            for parameter in inspect.signature(base.__init__).parameters.values()
            if isinstance(parameter.default, (bool, float))
        }


def _configured(configurable: Any, arguments: Mapping[str, Any]) -> Any:
    """The same quantizer or constraint with those of the arguments that it knows."""
    if configurable is None:
        return None
    config = configurable.get_config()
    changes = {name: value for name, value in arguments.items() if name in config}
    if not changes:
        return configurable
    # not `from_config`, which makes a TypeError of what is wrong with a constant
    return type(configurable)(**{**config, **changes})


_BINARY_NET = "https://arxiv.org/abs/1602.02830"
_BI_REAL_NET = "https://arxiv.org/abs/1808.00278"
_IR_NET = "https://arxiv.org/abs/1909.10788"
_RECU = "https://arxiv.org/abs/2103.12369"
_DIR_NET = "https://arxiv.org/abs/2109.12338"
_IR2NET = "https://arxiv.org/abs/2210.02637"

_METHODS = {
    method.name: method
    for method in (
        Method(name="float", title="Full precision", activation="relu"),
        Method(
            name="ste_sign",
            title="STE",
            input_quantizer="ste_sign",
            kernel_quantizer="ste_sign",
            kernel_constraint="weight_clip",
            reference=_BINARY_NET,
        ),
        Method(
            name="approx_sign",
            title="ApproxSign",
            input_quantizer="approx_sign",
            kernel_quantizer="ste_sign",
            kernel_constraint="weight_clip",
            reference=_BI_REAL_NET,
        ),
        Method(
            name="irnet",
            title="IR-Net",
            input_quantizer="ede_sign",
            kernel_quantizer="libra_pb",
            reference=_IR_NET,
        ),
        Method(
            name="irnet_w1a32",
            title="IR-Net (W1A32)",
            kernel_quantizer="libra_pb",
            activation="relu",
            reference=_IR_NET,
        ),
        Method(
            name="recu",
            title="ReCU",
            input_quantizer="normalized_approx_sign",
            kernel_quantizer="recu",
            channel_scale=True,
            reference=_RECU,
        ),
        Method(
            name="ir2net",
            title="IR2Net",
            input_quantizer="approx_sign",
            kernel_quantizer="ste_sign",
            reference=_IR2NET,
        ),
        Method(
            name="dirnet",
            title="DIR-Net",
            input_quantizer="dte_sign",
            kernel_quantizer="imb",
            reference=_DIR_NET,
        ),
    )
}


def names() -> list[str]:
    """The names of all registered methods, sorted.

    # Example
        >>> names()[:4]
        ['approx_sign', 'dirnet', 'float', 'ir2net']
    """
    return sorted(_METHODS)


def get(identifier: str | Method) -> Method:
    """Looks a method up; a `Method` of your own passes through.

    # Arguments
        identifier: One of `names()`, or a `Method`.

    # Raises
        ValueError: if there is no such method.

    # Example
        >>> get("irnet").kernel_quantizer
        'libra_pb'
    """
    if isinstance(identifier, Method):
        return identifier
    if identifier not in _METHODS:
        raise ValueError(f"Expected a method out of {names()}, got {identifier!r}.")
    return _METHODS[identifier]
