"""What a network costs: multiplications, operations, bytes and parameters."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

import larq_irnet as irnet

__all__ = ["NetworkCost", "layer_costs", "network_cost"]

_BINARY_PER_OPERATION = 64  # multiplications of bits in place of one of numbers
_BITS = 8  # of a byte
_FLOAT_BYTES = 4

_MOVING_AVERAGES = ("moving_mean", "moving_variance")


@dataclass(frozen=True, kw_only=True)
class NetworkCost:
    """The cost of one image, by the conventions of the papers.

    Multiplications are those of convolutions and dense layers, not those of
    normalisations and activations. Parameters leave moving averages out.

    # Attributes
        float_macs: Multiplications and additions in full precision.
        binary_macs: Those of a binary convolution with binary inputs.
        binary_weights: Weights of one bit.
        other_parameters: All others, of 32 bits.
    """

    float_macs: int = 0
    binary_macs: int = 0
    binary_weights: int = 0
    other_parameters: int = 0

    @property
    def operations(self) -> float:
        """OPs: 64 binary multiplications count as one."""
        return self.float_macs + self.binary_macs / _BINARY_PER_OPERATION

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.binary_weights + self.other_parameters

    @property
    def bytes(self) -> float:
        """One bit for each binary weight, float32 for all others."""
        return self.binary_weights / _BITS + self.other_parameters * _FLOAT_BYTES

    def __add__(self, other: "NetworkCost") -> "NetworkCost":
        return NetworkCost(
            float_macs=self.float_macs + other.float_macs,
            binary_macs=self.binary_macs + other.binary_macs,
            binary_weights=self.binary_weights + other.binary_weights,
            other_parameters=self.other_parameters + other.other_parameters,
        )


def _is_binary(quantizer: Any) -> bool:
    return getattr(quantizer, "precision", None) == 1


def _per_pixel(layer: Any, shape: Sequence[int]) -> int:
    """Every weight of the kernel meets every output pixel once."""
    return layer.kernel.shape.num_elements() * math.prod(shape[1:-1])


def _depthwise(layer: Any, shape: Sequence[int]) -> int:
    return layer.depthwise_kernel.shape.num_elements() * math.prod(shape[1:-1])


def _nothing(layer: Any, shape: Sequence[int]) -> int:
    return 0


_layers = tf.keras.layers
_MACS: dict[type, Callable[[Any, Sequence[int]], int]] = {  # the first that fits
    _layers.DepthwiseConv2D: _depthwise,
    _layers.Conv1D: _per_pixel,
    _layers.Conv2D: _per_pixel,  # grouped ones and Larq's as well
    _layers.Dense: _per_pixel,
    _layers.BatchNormalization: _nothing,
    _layers.PReLU: _nothing,
    irnet.layers.ChannelScale: _nothing,
    irnet.layers.LearnableBias: _nothing,
}
# kinds of the above that count otherwise
_NOT_COUNTED = (_layers.Conv1DTranspose, _layers.Conv2DTranspose)


def _cost(layer: Any, shape: Sequence[int]) -> NetworkCost:
    """The cost of one layer with outputs of a shape."""
    weights = [
        weight
        for weight in layer.weights
        if not any(name in weight.name for name in _MOVING_AVERAGES)
    ]
    if not weights:
        return NetworkCost()
    counts = [count for kind, count in _MACS.items() if isinstance(layer, kind)]
    if not counts or isinstance(layer, _NOT_COUNTED):
        raise ValueError(
            f"Expected layers whose multiplications can be counted, got {layer.name!r} "
            f"({type(layer).__name__}). Convolutions and dense layers can."
        )
    macs = counts[0](layer, shape)
    has_binary_kernel = _is_binary(getattr(layer, "kernel_quantizer", None))
    has_binary_input = _is_binary(getattr(layer, "input_quantizer", None))
    is_binary = has_binary_kernel and has_binary_input
    binary = layer.kernel.shape.num_elements() if has_binary_kernel else 0
    return NetworkCost(
        float_macs=0 if is_binary else macs,
        binary_macs=macs if is_binary else 0,
        binary_weights=binary,
        other_parameters=sum(w.shape.num_elements() for w in weights) - binary,
    )


def _parts(layer: tf.keras.layers.Layer) -> Iterator[tuple[Any, Sequence[int]]]:
    """A layer, or the layers that it is made of, with the shapes of their outputs."""
    if isinstance(layer, irnet.layers.InformationRecovery):
        yield from ((part, layer.output_shape) for part in layer.parts)
    else:
        yield layer, layer.output_shape


def layer_costs(model: tf.keras.Model) -> dict[str, NetworkCost]:
    """The cost of every layer of a model, by its name; of nested models together.

    # Arguments
        model: A functional or sequential model of inputs of a known size.

    # Raises
        ValueError: for a layer with weights that are not those of a convolution, a
            dense layer, a normalisation or a PReLU, and for inputs of unknown size.

    # Example
        >>> from zoo.models import IR2Net18
        >>> costs = layer_costs(IR2Net18("ir2net", recovery="A"))
        >>> costs["fusion"].float_macs  # 1x1, from 1024 to 512 channels, 7x7 pixels
        25690112
    """
    unknown = [tuple(x.shape) for x in model.inputs if None in tuple(x.shape)[1:]]
    if unknown:
        raise ValueError(
            f"Expected a model of inputs of a known size, got {model.name!r} with "
            f"{unknown}."
        )
    return {layer.name: _sum_of(layer) for layer in model.layers}


def _sum_of(layer: tf.keras.layers.Layer) -> NetworkCost:
    if isinstance(layer, tf.keras.Model):
        return network_cost(layer)
    return sum((_cost(*part) for part in _parts(layer)), NetworkCost())


def network_cost(model: tf.keras.Model) -> NetworkCost:
    """The cost of a model for one image.

    # Arguments
        model: As for `layer_costs`.

    # Raises
        ValueError: as `layer_costs`.

    # Example
        >>> from zoo.models import ResNet20
        >>> cost = network_cost(ResNet20("irnet"))
        >>> cost.binary_macs, cost.float_macs, cost.parameters, cost.bytes
        (40108032, 443008, 269850, 43752.0)
    """
    return sum(layer_costs(model).values(), NetworkCost())
