"""The binary kernels of a model: their latent weights, and the signs they stand for."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.diagnostics.dead_weights import standardized_weights
from larq_irnet.diagnostics.surrogate_gradient import surrogate_share
from larq_irnet.diagnostics.unique_names import unique_names
from larq_irnet.quantized_scope import quantized_scope

__all__ = ["BinaryKernel", "KernelSnapshot", "binary_kernels", "snapshot"]

_KERNELS = {  # by the attribute of the quantizer
    "kernel_quantizer": "kernel",
    "depthwise_quantizer": "depthwise_kernel",
    "pointwise_quantizer": "pointwise_kernel",
}
_FLIPS = "flip_ratio"  # the attribute of a quantizer
_TRANSPOSED = (
    tf.keras.layers.Conv1DTranspose,
    tf.keras.layers.Conv2DTranspose,
    tf.keras.layers.Conv3DTranspose,
)


@dataclass(frozen=True, eq=False)
class KernelSnapshot:
    """The weights of one binary kernel at one moment.

    # Attributes
        name: Name of the layer, with that of the kernel if it has several.
        latent: The latent weights.
        signs: The signs that the layer computes with, of the same shape: -1 and 1.
        filter_axes: The axes of the kernel that index filters.
        centered: Whether the signs are those of filters without their means.
    """

    name: str
    latent: np.ndarray
    signs: np.ndarray
    filter_axes: tuple[int, ...]
    centered: bool

    @functools.cached_property
    def standardized(self) -> np.ndarray:
        """The latent weights by `standardized_weights`."""
        return standardized_weights(self.latent, filter_axes=self.filter_axes)


@dataclass(frozen=True, eq=False)
class BinaryKernel:
    """One kernel of one layer that computes with its signs.

    # Attributes
        name: Name of the layer, with that of the kernel if it has several.
        variable: The latent weights.
        quantizer: What makes the binary kernel of them.
        filter_axes: The axes of the kernel that index filters.
    """

    name: str
    variable: tf.Variable
    quantizer: Callable[[tf.Tensor], tf.Tensor]
    filter_axes: tuple[int, ...]

    def snapshot(self) -> KernelSnapshot:
        """A copy of the present weights, whatever quantized scope surrounds the call.

        No flips are counted where the quantizer has Larq's metric for them.
        """
        return self.snapshot_of(*self.weights())

    def weights(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The present latent weights and their signs, also within a graph."""
        latent = self._latent()
        with _not_counting_flips(self.quantizer):
            return latent, lq.math.sign(self.quantizer(latent))

    def snapshot_of(self, latent: tf.Tensor, signs: tf.Tensor) -> KernelSnapshot:
        """A snapshot of what `weights` has read."""
        return KernelSnapshot(
            name=self.name,
            latent=np.array(latent),
            signs=np.array(signs),
            filter_axes=self.filter_axes,
            centered=self.centered,
        )

    @property
    def centered(self) -> bool:
        """Whether the quantizer takes the means of filters off."""
        has_filters = hasattr(self.quantizer, "filter_axes")
        return has_filters and getattr(self.quantizer, "centered", True)

    def surrogate_share(self, *, probes: int = 8, seed: int = 0) -> float:
        """Share of the weights that get gradient at this moment.

        By `larq_irnet.diagnostics.surrogate_share`, whatever quantized scope surrounds
        the call; no flips are counted.

        # Arguments
            probes: As there.
            seed: The same.
        """
        return float(self.share_of_gradient(probes, seed))

    def share_of_gradient(self, probes: int, seed: tf.Tensor | int) -> tf.Tensor:
        """`surrogate_share` as a float32 scalar, also within a graph."""
        latent = self._latent()
        with _not_counting_flips(self.quantizer):
            return surrogate_share(
                self.quantizer,
                latent,
                group_axes=self.filter_axes,
                probes=probes,
                seed=seed,
            )

    def _latent(self) -> tf.Tensor:
        with quantized_scope(False):
            return tf.identity(self.variable)


@contextlib.contextmanager
def _not_counting_flips(quantizer: Callable[..., Any]) -> Iterator[None]:
    """Takes Larq's metric off a quantizer, behind the back of Keras, and back."""
    attributes = getattr(quantizer, "__dict__", {})
    metric = attributes.pop(_FLIPS, None)
    try:
        yield
    finally:
        if metric is not None:
            attributes[_FLIPS] = metric


def _filter_axes(
    layer: tf.keras.layers.Layer,
    kernel: str,
    quantizer: Callable[[tf.Tensor], tf.Tensor],
) -> tuple[int, ...]:
    if hasattr(quantizer, "filter_axes"):
        return tuple(quantizer.filter_axes)
    if kernel == "depthwise_kernel":
        return (-2, -1)  # [..., C_in, multiplier]
    return (-2,) if isinstance(layer, _TRANSPOSED) else (-1,)


def _kernels_of(layer: tf.keras.layers.Layer) -> list[BinaryKernel]:
    quantizers: dict[str, Any] = {
        kernel: getattr(layer, attribute, None)
        for attribute, kernel in _KERNELS.items()
    }
    binary = {
        kernel: quantizer
        for kernel, quantizer in quantizers.items()
        if getattr(quantizer, "precision", None) == 1
    }
    if binary and not layer.built:
        raise ValueError(
            f"Expected layers that are built, got '{layer.name}' without weights. "
            "Build the model, or call it once."
        )
    return [
        BinaryKernel(
            name=layer.name if len(binary) == 1 else f"{layer.name}/{kernel}",
            variable=getattr(layer, kernel),
            quantizer=quantizer,
            filter_axes=_filter_axes(layer, kernel, quantizer),
        )
        for kernel, quantizer in binary.items()
    ]


def binary_kernels(model: tf.keras.Model) -> list[BinaryKernel]:
    """All kernels of a model with a quantizer of one bit, in its order, each once.

    Nested models are included, and so are layers that take real inputs. Of layers of
    one name, in models within the model, the later ones have a number behind.

    # Arguments
        model: A built Keras model.

    # Raises
        ValueError: if a layer with a binary kernel is not built.

    # Example
        >>> import larq_irnet as irnet
        >>> model = tf.keras.Sequential(
        ...     [
        ...         tf.keras.layers.Dense(4, input_shape=(6,)),
        ...         irnet.layers.QuantDense(3, quantizer="irnet", name="binary"),
        ...     ]
        ... )
        >>> [(kernel.name, kernel.filter_axes) for kernel in binary_kernels(model)]
        [('binary', (-1,))]
    """
    layers = (
        module
        for module in model.submodules
        if isinstance(module, tf.keras.layers.Layer)
    )
    kernels = [kernel for layer in layers for kernel in _kernels_of(layer)]
    place = {id(variable): index for index, variable in enumerate(model.weights)}
    kernels.sort(key=lambda kernel: place.get(id(kernel.variable), len(place)))
    names = unique_names([kernel.name for kernel in kernels])
    return [
        dataclasses.replace(kernel, name=name) for kernel, name in zip(kernels, names)
    ]


def snapshot(model: tf.keras.Model) -> list[KernelSnapshot]:
    """The weights of all binary kernels of a model at this moment, in its order.

    # Arguments
        model: A built Keras model.

    # Raises
        ValueError: if a layer with a binary kernel is not built.

    # Example
        >>> import larq_irnet as irnet
        >>> model = tf.keras.Sequential([tf.keras.Input((8, 8, 3))])
        >>> model.add(irnet.layers.QuantConv2D(4, 3, quantizer="recu", name="conv"))
        >>> [(kernel.name, kernel.signs.shape) for kernel in snapshot(model)]
        [('conv', (3, 3, 3, 4))]
    """
    return [kernel.snapshot() for kernel in binary_kernels(model)]
