"""The binary weights of a model: packed bits, and one scale for each filter.

The kernels of quantized layers are kept as latent weights of 32 bits. What such a layer
computes with is a sign and the scale of a filter, which is what other programs, and
other devices than those of Larq Compute Engine, need of it.

The bits of a filter begin at a new byte, the lowest bit first. A bit is 1 where the
weight is negative, as in Larq Compute Engine, whose packed convolution kernels are the
same bytes where the number of input channels is a multiple of 32.
"""

import math
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from larq_irnet.atomic_path import atomic_path
from larq_irnet.quantized_scope import quantized_scope
from tflite_export.layer_walk import all_layers, kernel_quantizers
from tflite_export.lint.kernels import explain_kernel

__all__ = [
    "BinaryKernel",
    "binary_weights",
    "load_binary_weights",
    "save_binary_weights",
]

# The axes that number the filters of a kernel, as for `LibraPB`.
_LAST: tuple[int, ...] = (-1,)
_TRANSPOSED: tuple[int, ...] = (-2,)
_DEPTHWISE: tuple[int, ...] = (-2, -1)
_FIELDS = {"bits": np.uint8, "scales": np.float32, "shape": np.int64, "axes": np.int64}
_MOST_AXES = 8


@dataclass(frozen=True)
class BinaryKernel:
    """One kernel as bits and scales.

    # Attributes
        bits: uint8 [C_out, bytes]: for each filter its bits in the order of `axes`,
            eight to a byte, the lowest bit first, the last byte filled up with zeros;
            1 stands for -1.
        scales: float32 [C_out], positive.
        shape: Of the Keras kernel, such as [H, W, C_in, C_out].
        axes: The axes of the Keras kernel in the order of the bits, those that number
            the filters first, such as (3, 0, 1, 2).
    """

    bits: np.ndarray
    scales: np.ndarray
    shape: tuple[int, ...]
    axes: tuple[int, ...]

    def unpack(self) -> np.ndarray:
        """The kernel as its layer computes with it: float32, in the shape of Keras."""
        elements = math.prod(self.shape) // len(self.scales)
        negative = np.unpackbits(self.bits, axis=1, count=elements, bitorder="little")
        scales = self.scales[:, np.newaxis]
        filters = np.where(negative, -scales, scales)  # [C_out, elements]
        ordered = filters.reshape([self.shape[axis] for axis in self.axes])
        return ordered.transpose(np.argsort(self.axes))


def binary_weights(model: tf.keras.Model) -> dict[str, BinaryKernel]:
    """The quantized kernels of a model, by layer and attribute.

    Whether Larq's `quantized_scope` is on or off makes no difference.

    # Arguments
        model: A built Keras model, nested models included.

    # Raises
        ValueError: for a quantized kernel that is not sign times one scale per filter.

    # Example
        >>> layer = lq.layers.QuantDense(2, kernel_quantizer="ste_sign", name="dense")
        >>> model = tf.keras.Sequential([tf.keras.Input((8,)), layer])
        >>> layer.set_weights([np.full((8, 2), [0.3, -0.2]), np.zeros(2)])
        >>> kernel = binary_weights(model)["dense/kernel"]
        >>> kernel.bits.tolist(), kernel.scales.tolist()
        ([[0], [255]], [1.0, 1.0])
    """
    kernels: dict[str, BinaryKernel] = {}
    for layer in {id(layer): layer for layer in all_layers(model)}.values():
        for attribute in kernel_quantizers(layer):
            name = f"{layer.name}/{attribute}"
            if name in kernels:
                raise ValueError(
                    f"Expected layers of different names, got two {layer.name!r} in "
                    f"models within {model.name!r}. Rename one."
                )
            kernels[name] = _packed(name, *_quantized(layer, attribute))
    return kernels


def _quantized(
    layer: tf.keras.layers.Layer, attribute: str
) -> tuple[np.ndarray, tuple[int, ...]]:
    """A kernel as its layer computes with it, and the axes of its filters."""
    with quantized_scope(True):
        kernel = tf.convert_to_tensor(getattr(layer, attribute))
    if attribute == "depthwise_kernel":
        axes = _DEPTHWISE
    elif isinstance(
        layer, (tf.keras.layers.Conv2DTranspose, tf.keras.layers.Conv3DTranspose)
    ):
        axes = _TRANSPOSED
    else:
        axes = _LAST
    return tf.cast(kernel, tf.float32).numpy(), axes


def _packed(name: str, kernel: np.ndarray, filter_axes: Sequence[int]) -> BinaryKernel:
    first = tuple(axis % kernel.ndim for axis in filter_axes)
    axes = first + tuple(axis for axis in range(kernel.ndim) if axis not in first)
    filters = kernel.transpose(axes).reshape(
        math.prod(kernel.shape[axis] for axis in first), -1
    )
    reason = explain_kernel(filters.T)
    magnitudes = np.abs(filters)
    if reason is None and (magnitudes != magnitudes[:, :1]).any():
        reason = "the magnitudes within a filter differ by rounding."
    if reason is not None:
        raise ValueError(
            f"Expected binary weights in {name}, got others: {reason} Use a kernel "
            "quantizer that gives sign times one scale per output channel, such as "
            '"libra_pb" or "ste_sign".'
        )
    return BinaryKernel(
        bits=np.packbits(filters < 0, axis=1, bitorder="little"),
        scales=magnitudes[:, 0].copy(),
        shape=kernel.shape,
        axes=axes,
    )


def save_binary_weights(model: tf.keras.Model, path: str | os.PathLike[str]) -> None:
    """Writes the binary weights of a model, whole or not at all.

    # Arguments
        model: As for `binary_weights`.
        path: An .npz; holds arrays `<layer>/<kernel>/bits`, `.../scales`, `.../shape`
            and `.../axes`, as in `BinaryKernel`.

    # Raises
        ValueError: as `binary_weights`.
    """
    arrays = {
        f"{name}/{field}": np.asarray(getattr(kernel, field), dtype)
        for name, kernel in binary_weights(model).items()
        for field, dtype in _FIELDS.items()
    }
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def load_binary_weights(path: str | os.PathLike[str]) -> dict[str, BinaryKernel]:
    """Reads what `save_binary_weights` has written.

    # Arguments
        path: The .npz.

    # Returns
        The kernels by layer and attribute; `unpack` gives exactly the values that the
        layers compute with.

    # Raises
        ValueError: for a file that is damaged, or something else.
        OSError: if it cannot be read.
    """
    path = Path(path)
    with path.open("rb") as file:  # a missing file is no damaged one
        try:
            arrays = dict(_arrays(file))
            return {name: _kernel(name, arrays) for name in _names(arrays)}
        except _DAMAGED as error:
            raise ValueError(
                f"Expected binary weights in {path}, got something else or a damaged "
                f"file: {error}"
            ) from error


_DAMAGED = (
    ValueError,
    KeyError,
    OSError,
    EOFError,
    MemoryError,
    SyntaxError,  # of an array's header
    NotImplementedError,
    RuntimeError,  # of an encrypted archive
    zipfile.BadZipFile,
)


def _arrays(file) -> Iterator[tuple[str, np.ndarray]]:
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED:  # may be a bomb
                raise ValueError(f"{entry.filename} is compressed.")
            with archive.open(entry) as member:
                array = np.lib.format.read_array(member, allow_pickle=False)
            yield entry.filename.removesuffix(".npy"), array


def _names(arrays: Mapping[str, np.ndarray]) -> list[str]:
    return list(dict.fromkeys(name.rpartition("/")[0] for name in arrays))


def _kernel(name: str, arrays: Mapping[str, np.ndarray]) -> BinaryKernel:
    fields = {field: arrays[f"{name}/{field}"] for field in _FIELDS}
    for field, dtype in _FIELDS.items():
        expected = 2 if field == "bits" else 1
        if fields[field].dtype != dtype or fields[field].ndim != expected:
            raise ValueError(f"{name}/{field} is of another type or shape.")
    shape, axes = (tuple(map(int, fields[field])) for field in ("shape", "axes"))
    bits, scales = fields["bits"], fields["scales"]
    if len(shape) > _MOST_AXES or sorted(axes) != list(range(len(shape))):
        raise ValueError(f"{name} has axes {axes} for the shape {shape}.")
    elements, rest = divmod(math.prod(shape), max(1, len(scales)))
    expected_bits = (len(scales), math.ceil(elements / 8))
    if min(shape, default=0) < 1 or rest or bits.shape != expected_bits:
        raise ValueError(
            f"{name} has {bits.shape} bytes and {scales.size} scales for the shape "
            f"{shape}."
        )
    if not (np.isfinite(scales) & (scales > 0)).all():
        raise ValueError(f"{name} has scales that are not positive.")
    return BinaryKernel(bits=bits, scales=scales, shape=shape, axes=axes)
