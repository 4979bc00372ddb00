"""A network that computes with int8 activations, as a Keras model.

Larq Compute Engine's converter makes int8 operators of what lies between two fake
quantizations, with weights in int8, a scale for each output channel, and lets binary
convolutions read and write int8.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.calibration import Calibration, Range, measure_ranges
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import kernel_quantizers
from tflite_export.quantization_points import (
    activation_name,
    is_of_one_scale,
    only_reader,
    passes,
    quantization_points,
)

__all__ = ["FakeQuantization", "around_zero", "with_fake_quantization"]

# what TensorFlow Lite's operators write, whatever they read
_FIXED = {
    "sigmoid": Range(0.0, 255 / 256),
    "softmax": Range(0.0, 255 / 256),
    "tanh": Range(-1.0, 127 / 128),
}
_NOTHING = (-math.inf, math.inf)
_IN_ANY_ORDER = (  # with a clamp: they pick some of their numbers, or add zeros
    tf.keras.layers.Cropping2D,
    tf.keras.layers.Dropout,
    tf.keras.layers.Flatten,
    tf.keras.layers.MaxPooling2D,
    tf.keras.layers.Permute,
    tf.keras.layers.Reshape,
    tf.keras.layers.ZeroPadding2D,
)
_CLAMPS = {"hard_tanh": (-1.0, 1.0), "relu": (0.0, math.inf), "relu6": (0.0, 6.0)}
_LARGEST_WEIGHT = 127
_TIE = 1e-3  # of a step
_SHARING_A_STEP = {  # axes of a kernel, by the kind of layer
    tf.keras.layers.DepthwiseConv2D: (0, 1),
    tf.keras.layers.Conv2DTranspose: (0, 1, 3),
    tf.keras.layers.Conv2D: (0, 1, 2),
    tf.keras.layers.Dense: (0, 1),
}


@tf.keras.utils.register_keras_serializable(package="tflite_export")
class FakeQuantization(tf.keras.layers.Layer):
    r"""Rounds to the 256 steps of an int8 range.

    \\[
    q(x) = s \, \mathrm{round}(\mathrm{clip}(x, low', high') / s),
    \qquad s = (high - low) / 255
    \\]

    where low' and high' are moved by less than a step, so that 0 is met exactly.

    # Arguments
        low: Smallest value, at most 0.
        high: Largest value, at least 0.

    # Input shape
        Any.

    # Output shape
        The same.

    # Example
        >>> layer = FakeQuantization(-2.0, 127 / 64)  # steps of 1 / 64
        >>> layer(tf.constant([0.0, 0.1, 7.0])).numpy().tolist()
        [0.0, 0.09375, 1.984375]

    # References
        - [Quantization and Training of Neural Networks for Efficient
            Integer-Arithmetic-Only Inference](https://arxiv.org/abs/1712.05877),
            equations 12 and 13
    """

    def __init__(self, low: float, high: float, **kwargs: Any):
        super().__init__(**kwargs)
        if not low <= 0.0 <= high or not low < high:
            raise ValueError(
                "Expected a range that holds 0 and is not a single number, got "
                f"low={low!r}, high={high!r}."
            )
        self.low, self.high = float(low), float(high)

    @property
    def step(self) -> float:
        """The distance of two neighbouring values."""
        return (self.high - self.low) / 255

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.quantization.fake_quant_with_min_max_args(inputs, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "low": self.low, "high": self.high}


def with_fake_quantization(
    model: tf.keras.Model,
    samples: Sequence[np.ndarray],
    calibration: Calibration = Calibration(),
) -> tf.keras.Model:
    """The network with int8 activations wherever they are not bits.

    # Arguments
        model: A functional or sequential model in float32, each layer called once.
        samples: One array [N, ...] for each input, to measure ranges on.
        calibration: How they are measured.

    # Raises
        ValueError: for a model with shared layers, and if an activation is NaN or Inf.
    """
    graph = LayerGraph(model)
    points = quantization_points(graph)
    flat = graph.build(transfer_weights=True)
    ranges = measure_ranges(flat, points, samples, calibration)
    limited = {name: _let_through(graph, name, ranges) for name in points}
    limited = {
        name: around_zero(limits)
        for name, limits in _with_one_scale(graph, limited).items()
    }
    for name in points:
        clamp = _clamped_by_its_range(graph, name, limited)
        if clamp is not None:
            graph.remove(clamp)
            limited[name] = limited.pop(clamp)
    for name, limits in limited.items():
        layer = FakeQuantization(
            limits.low, limits.high, name=graph.unused(f"{name}_int8")
        )
        graph.insert(name, layer)
    quantized = graph.build(transfer_weights=True)
    for layer in quantized.layers:
        _round_weights(layer)
    return quantized


def _let_through(graph: LayerGraph, name: str, ranges: Mapping[str, Range]) -> Range:
    """The part of a range that makes a difference, or the one the operator has.

    What is clamped next, maybe behind a max pool, need not hold what the clamp cuts
    off. Where a sum is clamped from below, and the other terms are at most h, a term
    below `lowest - h` makes no other sum than that number; likewise from above. Without
    them the steps are smaller, and the sum stays within the 16 bits that the runtime
    keeps.
    """
    limits = _FIXED.get(activation_name(graph.layers[name]), ranges[name])
    lowest, highest = _clamp_behind(graph, name)
    total = only_reader(graph, name)
    if total is not None and is_a(graph.layers[total], tf.keras.layers.Add):
        terms = graph.reads(total)
        if not all(term in ranges for term in terms):
            return limits
        lowest, highest = _clamp_behind(graph, total)
        others = [ranges[term] for term in terms if term != name]
        lowest -= sum(other.high for other in others)
        highest -= sum(other.low for other in others)
    low, high = max(limits.low, lowest), min(limits.high, highest)
    return Range(min(low, 0.0), max(high, 0.0)) if low < high else limits


def _with_one_scale(graph: LayerGraph, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """The ranges, joined where the runtime wants one scale for several tensors.

    It can give the numbers of a float convolution another scale, but not those of a
    binary one.
    """
    groups = {name: {name} for name in ranges}
    for name in graph.names():
        if name not in ranges or not is_of_one_scale(graph.layers[name]):
            continue
        members = {_point_behind(graph, one, ranges) for one in graph.reads(name)}
        joined = {name, *(one for one in members if one is not None)}
        if any(activation_name(graph.layers[one]) in _FIXED for one in joined):
            continue
        joined = set().union(*(groups[one] for one in joined))
        groups |= dict.fromkeys(joined, joined)
    return {
        name: Range(
            min(ranges[one].low for one in group),
            max(ranges[one].high for one in group),
        )
        for name, group in groups.items()
    }


def _point_behind(
    graph: LayerGraph, name: str, ranges: Mapping[str, Range]
) -> str | None:
    """The layer whose range the numbers of a layer have, maybe handed on."""
    while name not in ranges:
        if not passes(graph.layers[name]):
            return None
        name = graph.reads(name)[0]
    return name


def around_zero(limits: Range) -> Range:
    """A range that holds more, if 0 lies in the middle of two of its steps.

    There, as in [-1, 1], TensorFlow and the converter move it to different sides. With
    [-128/127, 1] both ends of a clamp are met exactly.

    # Example
        >>> around_zero(Range(-127.0, 127.0))
        Range(low=-128.0, high=127.0)
    """
    below = 255 * -limits.low / (limits.high - limits.low)  # steps
    if abs(below - math.floor(below) - 0.5) > _TIE:
        return limits
    if below < 128:
        below = math.ceil(below)
        return Range(-limits.high * below / (255 - below), limits.high)
    below = math.floor(below)
    return Range(limits.low, -limits.low * (255 - below) / below)


def _clamp_behind(graph: LayerGraph, name: str) -> tuple[float, float]:
    """What is let through of the numbers of a layer, if they are clamped next."""
    clamp = _clamping_layer(graph, name)
    return _NOTHING if clamp is None else _CLAMPS[activation_name(graph.layers[clamp])]


def _clamping_layer(graph: LayerGraph, name: str) -> str | None:
    """What clamps all numbers of a layer next, maybe behind a max pool."""
    reader = only_reader(graph, name)
    while reader is not None and is_a(graph.layers[reader], _IN_ANY_ORDER):
        reader = only_reader(graph, reader)
    activations = (tf.keras.layers.Activation, tf.keras.layers.ReLU)
    if reader is None or not is_a(graph.layers[reader], activations):
        return None
    return reader if activation_name(graph.layers[reader]) in _CLAMPS else None


def _clamped_by_its_range(
    graph: LayerGraph, name: str, ranges: Mapping[str, Range]
) -> str | None:
    """An activation behind a layer that the range of the layer makes superfluous.

    What writes int8 clamps to its range. Behind a binary convolution, whose operator
    takes in no activation with a scale in between, that saves a pass over the numbers.
    The layer gets the range of the activation, in which zero has to be the lowest step:
    others are moved by less than a step.
    """
    clamp = _clamping_layer(graph, name) if name in ranges else None
    if clamp is None or clamp not in ranges or graph.is_output(clamp):
        return None
    if is_of_one_scale(graph.layers[name]) and ranges[name] != ranges[clamp]:
        return None  # others have its range, too
    lowest, highest = _CLAMPS[activation_name(graph.layers[clamp])]
    limits = ranges[clamp]
    is_clamped = lowest <= limits.low == 0.0 and limits.high <= highest
    return clamp if is_clamped else None


def _round_weights(layer: tf.keras.layers.Layer) -> None:
    """To the steps that the converter takes: equal ones for an output channel.

    It folds normalisations into the weights first, which changes the steps of a
    channel, but not what is rounded to which.
    """
    axes = next((a for kind, a in _SHARING_A_STEP.items() if is_a(layer, kind)), None)
    if axes is None or kernel_quantizers(layer):
        return  # +-s is met exactly
    kernel, *bias = layer.get_weights()
    largest = np.abs(kernel).max(axis=axes, keepdims=True)
    step = np.where(largest > 0.0, largest, 1.0) / _LARGEST_WEIGHT
    layer.set_weights([np.rint(kernel / step) * step, *bias])
