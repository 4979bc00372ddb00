"""Larq's quantized layers, set up by the name of a method.

```python
irnet.layers.QuantConv2D(64, 3, quantizer="irnet", padding="same", pad_values=1.0)
```

`quantizer` sets input quantizer, kernel quantizer and kernel constraint at once. Each
of them can be given as well and then wins, `None` included. All other arguments are
those of the Larq layer of the same name.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet import methods

__all__ = [
    "QuantConv1D",
    "QuantConv2D",
    "QuantConv2DTranspose",
    "QuantDense",
    "QuantDepthwiseConv2D",
]

_register = tf.keras.utils.register_keras_serializable(package="larq_irnet")


@contextlib.contextmanager
def _no_warning_of_starved_weights(method: methods.Method | None) -> Iterator[None]:
    """Larq warns of kernels without a constraint; some methods mean to have none."""
    if method is None or method.kernel_constraint is not None:
        yield
        return
    log = logging.getLogger("larq.layers_base")

    def is_other(record: logging.LogRecord) -> bool:
        return "starved weights" not in record.getMessage()

    log.addFilter(is_other)
    try:
        yield
    finally:
        log.removeFilter(is_other)


@contextlib.contextmanager
def _precision_of(dtype: Any) -> Iterator[None]:
    """Quantizers made inside compute as a layer of this `dtype`, a name or policy."""
    if dtype is None or isinstance(dtype, dict):
        yield
        return
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(dtype)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


class _QuantizedByMethod:
    """Turns `quantizer` into the arguments of a Larq layer.

    # Attributes
        kernel: What the Larq layer calls its kernel.
        filter_axes: The axes of that kernel that index filters.
    """

    kernel: str = "kernel"
    filter_axes: Sequence[int] = (-1,)

    def __init__(
        self,
        *args: Any,
        quantizer: str | methods.Method | None = None,
        **kwargs: Any,
    ):
        method = None if quantizer is None else methods.get(quantizer)
        if method is not None:
            with _precision_of(kwargs.get("dtype")):
                kwargs = {**self._arguments_of(method, kwargs), **kwargs}
        with _no_warning_of_starved_weights(method):
            super().__init__(*args, **kwargs)
        self.method = None if method is None else method.name

    def _arguments_of(
        self, method: methods.Method, given: dict[str, Any]
    ) -> dict[str, Any]:
        # Larq names the arguments of a depthwise kernel depthwise_quantizer, ...
        stem = self.kernel.removesuffix("_kernel")
        axes = self.filter_axes
        makers = {
            "input_quantizer": method.make_input_quantizer,
            f"{stem}_quantizer": lambda: method.make_kernel_quantizer(axes),
            f"{stem}_constraint": lambda: method.make_kernel_constraint(axes),
        }
        return {name: make() for name, make in makers.items() if name not in given}

    def get_config(self) -> dict[str, Any]:
        # The quantizers themselves are in the configuration and rebuild the layer, also
        # where the method is not registered; the name is kept as a note.
        return {**super().get_config(), "method": self.method}  # type: ignore[misc]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        method = config.pop("method", None)
        known = methods.get(method) if method in methods.names() else None
        with _no_warning_of_starved_weights(known):
            layer = super().from_config(config)  # type: ignore[misc]
        layer.method = method
        return layer


@_register
class QuantDense(_QuantizedByMethod, lq.layers.QuantDense):
    """`larq.layers.QuantDense` with `quantizer`, the name of a method.

    Larq Compute Engine has no binary dense kernel: `tflite_export.export` makes a
    convolution of this layer, which computes the same and is accelerated.

    # Arguments
        quantizer: One of `larq_irnet.methods.names()`, a `Method`, or `None`.

    # Raises
        ValueError: if there is no such method.

    # Example
        >>> layer = QuantDense(10, quantizer="irnet")
        >>> type(layer.kernel_quantizer).__name__
        'LibraPB'
    """


@_register
class QuantConv1D(_QuantizedByMethod, lq.layers.QuantConv1D):
    """`larq.layers.QuantConv1D` with `quantizer`, the name of a method.

    Larq Compute Engine has no binary kernel for sequences: `tflite_export.export` makes
    a convolution of images that are one pixel high of this layer.

    # Arguments
        quantizer: One of `larq_irnet.methods.names()`, a `Method`, or `None`.

    # Raises
        ValueError: if there is no such method.

    # Example
        >>> layer = QuantConv1D(8, 3, quantizer="irnet", padding="causal")
    """


@_register
class QuantConv2D(_QuantizedByMethod, lq.layers.QuantConv2D):
    """`larq.layers.QuantConv2D` with `quantizer`, the name of a method.

    # Arguments
        quantizer: One of `larq_irnet.methods.names()`, a `Method`, or `None`.

    # Raises
        ValueError: if there is no such method.

    # Example
        >>> layer = QuantConv2D(
        ...     64, 3, quantizer="irnet", padding="same", pad_values=1.0
        ... )
        >>> type(layer.input_quantizer).__name__, type(layer.kernel_quantizer).__name__
        ('EDESign', 'LibraPB')
        >>> real_inputs = QuantConv2D(64, 3, quantizer="irnet", input_quantizer=None)
        >>> print(real_inputs.input_quantizer)
        None
    """


@_register
class QuantConv2DTranspose(_QuantizedByMethod, lq.layers.QuantConv2DTranspose):
    """`larq.layers.QuantConv2DTranspose` with `quantizer`, the name of a method.

    # Arguments
        quantizer: One of `larq_irnet.methods.names()`, a `Method`, or `None`.

    # Raises
        ValueError: if there is no such method.

    # Example
        >>> layer = QuantConv2DTranspose(8, 3, quantizer="irnet")
        >>> layer.kernel_quantizer.filter_axes
        (-2,)
    """

    filter_axes = (-2,)  # [H, W, C_out, C_in]


@_register
class QuantDepthwiseConv2D(_QuantizedByMethod, lq.layers.QuantDepthwiseConv2D):
    """`larq.layers.QuantDepthwiseConv2D` with `quantizer`, the name of a method.

    # Arguments
        quantizer: One of `larq_irnet.methods.names()`, a `Method`, or `None`.

    # Raises
        ValueError: if there is no such method.

    # Example
        >>> layer = QuantDepthwiseConv2D(3, quantizer="irnet")
        >>> layer.depthwise_quantizer.filter_axes
        (-2, -1)
    """

    kernel = "depthwise_kernel"
    filter_axes = (-2, -1)  # [H, W, C_in, multiplier]
