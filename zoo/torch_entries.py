"""Which entry of a PyTorch state dict belongs to which variable of a model."""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

import larq_irnet as irnet
from zoo.models import Rotate180
from zoo.torch_layouts import TorchLayout, named_layers

__all__ = ["TorchEntry", "has_rotated_images", "torch_entries"]


@dataclass(frozen=True)
class TorchEntry:
    """One entry of a state dict and the variable that it belongs to.

    # Attributes
        name: In the state dict.
        shape: In PyTorch's layout.
        variable: Of the model.
        to_keras: From PyTorch's layout to that of the variable.
    """

    name: str
    shape: tuple[int, ...]
    variable: tf.Variable
    to_keras: Callable[[np.ndarray], np.ndarray]


def _unchanged(array: np.ndarray) -> np.ndarray:
    return array


def _kernel(kernel: np.ndarray, is_rotated: bool) -> np.ndarray:
    # [C_out, C_in, H, W] -> [H, W, C_in, C_out]
    kernel = kernel.transpose(2, 3, 1, 0)
    return kernel[::-1, ::-1] if is_rotated else kernel


def _conv_entries(
    layer: tf.keras.layers.Conv2D, module: str, is_rotated: bool
) -> Iterator[TorchEntry]:
    height, width, channels, filters = layer.kernel.shape
    shape = (filters, channels, height, width)
    to_keras = functools.partial(_kernel, is_rotated=is_rotated)
    yield TorchEntry(f"{module}.weight", shape, layer.kernel, to_keras)


def _flat_kernel_entries(
    layer: lq.layers.QuantConv2D, module: str, is_rotated: bool
) -> Iterator[TorchEntry]:
    """A kernel [C_out, C_in, H, W] that lies in one column."""
    for entry in _conv_entries(layer, module, is_rotated):

        def to_keras(column: np.ndarray, entry: TorchEntry = entry) -> np.ndarray:
            return entry.to_keras(column.reshape(entry.shape))

        yield TorchEntry(
            f"{module}.weights", (math.prod(entry.shape), 1), entry.variable, to_keras
        )


def _dense_entries(
    layer: tf.keras.layers.Dense, module: str, is_rotated: bool
) -> Iterator[TorchEntry]:
    flatten = layer.inbound_nodes[0].inbound_layers
    height, width, channels = flatten.input_shape[1:]

    def to_keras(weight: np.ndarray) -> np.ndarray:
        # [units, C x H x W] -> [H x W x C, units]
        images = weight.reshape(-1, channels, height, width)
        return _kernel(images, is_rotated).reshape(-1, len(weight))

    shape = (layer.units, channels * height * width)
    yield TorchEntry(f"{module}.weight", shape, layer.kernel, to_keras)
    yield TorchEntry(f"{module}.bias", (layer.units,), layer.bias, _unchanged)


def _batch_norm_entries(
    layer: tf.keras.layers.BatchNormalization, module: str, is_rotated: bool
) -> Iterator[TorchEntry]:
    for name, variable in (
        ("weight", layer.gamma),
        ("bias", layer.beta),
        ("running_mean", layer.moving_mean),
        ("running_var", layer.moving_variance),
    ):
        yield TorchEntry(
            f"{module}.{name}", tuple(variable.shape), variable, _unchanged
        )


def _per_channel(
    name: str, shape: tuple[int, ...], variable: tf.Variable
) -> TorchEntry:
    """A number for each channel, which the frameworks surround by other axes."""
    return TorchEntry(name, shape, variable, lambda a: a.reshape(variable.shape))


def _channel_scale_entries(
    layer: irnet.layers.ChannelScale, module: str, is_rotated: bool
) -> Iterator[TorchEntry]:
    (channels,) = layer.alpha.shape
    yield _per_channel(f"{module}.alpha", (channels, 1, 1), layer.alpha)


def _learnable_bias_entries(
    layer: irnet.layers.LearnableBias, module: str, is_rotated: bool
) -> Iterator[TorchEntry]:
    (channels,) = layer.bias.shape
    yield _per_channel(f"{module}.bias", (1, channels, 1, 1), layer.bias)


def _prelu_entries(
    layer: tf.keras.layers.PReLU, module: str, is_rotated: bool
) -> Iterator[TorchEntry]:
    yield _per_channel(f"{module}.weight", (layer.alpha.shape[-1],), layer.alpha)


_ENTRIES_OF: dict[type, Callable[[Any, str, bool], Iterator[TorchEntry]]] = {
    irnet.layers.ChannelScale: _channel_scale_entries,
    irnet.layers.LearnableBias: _learnable_bias_entries,
    tf.keras.layers.BatchNormalization: _batch_norm_entries,
    tf.keras.layers.Conv2D: _conv_entries,  # binary ones as well
    tf.keras.layers.Dense: _dense_entries,
    tf.keras.layers.PReLU: _prelu_entries,
}


def torch_entries(model: tf.keras.Model, layout: TorchLayout) -> list[TorchEntry]:
    """All entries that a state dict for the model has.

    # Arguments
        model: A network of the zoo.
        layout: Its layout.

    # Raises
        ValueError: for a layer with weights that PyTorch's network does not have.
    """
    entries: list[TorchEntry] = []
    is_rotated = has_rotated_images(model)
    for name, layer in named_layers(model):
        if not layer.weights:
            continue
        makers = [m for kind, m in _ENTRIES_OF.items() if isinstance(layer, kind)]
        if name not in layout.modules or not makers:
            raise ValueError(
                f"Expected the layers of {layout.network} alone, got {name!r}, "
                "which has no counterpart in PyTorch."
            )
        is_flat = layout.has_flat_kernels and isinstance(layer, lq.layers.QuantConv2D)
        maker = _flat_kernel_entries if is_flat else makers[0]
        entries.extend(maker(layer, layout.modules[name], is_rotated))
    return entries


def has_rotated_images(model: tf.keras.Model) -> bool:
    """Whether a model works on images rotated by 180 degrees."""
    return any(isinstance(layer, Rotate180) for layer in model.layers)
