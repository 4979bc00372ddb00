"""Ranges of activations, measured on data, for int8 arithmetic of what is not binary.

| rule | range of a tensor |
|---|---|
| min_max | the smallest and the largest value of all samples |
| percentile | without the outermost values, as many on either side |
| moving_average | the moving average of the smallest and largest value of a batch |

Outliers widen "min_max" and with it the steps of all other values; "percentile" cuts
them off, "moving_average" damps them.

# References
    - [Quantization and Training of Neural Networks for Efficient
        Integer-Arithmetic-Only Inference](https://arxiv.org/abs/1712.05877),
        section 3.1
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["RULES", "Calibration", "Range", "measure_ranges"]

RULES = ("min_max", "percentile", "moving_average")

_BINS = 4096  # of a histogram between the smallest and largest value


@dataclass(frozen=True)
class Range:
    """The values that an activation takes; 0 is always among them.

    # Attributes
        low: The smallest, at most 0.
        high: The largest, at least 0 and above `low`.
    """

    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """How ranges are taken from data.

    # Arguments
        rule: "min_max", "percentile" or "moving_average".
        percentile: Share of the values, in percent, that a range of the rule
            "percentile" holds.
        momentum: Weight of the past in the rule "moving_average", in [0, 1).
        batch_size: Samples that are computed at once.

    # Raises
        ValueError: for another rule, and for numbers out of their range.
    """

    rule: str = "min_max"
    percentile: float = 99.99
    momentum: float = 0.9
    batch_size: int = 32

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(
                f"Expected the rule of a calibration to be one of {', '.join(RULES)}, "
                f"got {self.rule!r}."
            )
        _check(
            "percentile", self.percentile, 50.0 < self.percentile <= 100.0, "(50, 100]"
        )
        _check("momentum", self.momentum, 0.0 <= self.momentum < 1.0, "[0, 1)")
        _check("batch_size", self.batch_size, self.batch_size >= 1, "at least 1")


def _check(name: str, value: float, is_valid: bool, expected: str) -> None:
    if not is_valid:
        raise ValueError(f"Expected `{name}` in {expected}, got {value!r}.")


def measure_ranges(
    model: tf.keras.Model,
    layers: Sequence[str],
    samples: Sequence[np.ndarray],
    calibration: Calibration,
) -> dict[str, Range]:
    """The ranges of what some layers of a model give.

    # Arguments
        model: A functional or sequential model in float32.
        layers: Names of layers with one output each.
        samples: One array [N, ...] for each input of the model, such as the model is
            going to see: a few hundred do.
        calibration: How ranges are taken from them.

    # Returns
        A range for each layer, by its name.

    # Raises
        ValueError: if a layer gives NaN or Inf for some sample.
    """
    observer = _OBSERVERS[calibration.rule]
    ranges = observer(
        _Batches(model, layers, samples, calibration.batch_size), calibration
    )
    unusable = [
        name for name, limits in zip(layers, ranges.T) if not np.isfinite(limits).all()
    ]
    if unusable:
        raise ValueError(
            "Expected finite activations of the calibration data, got NaN or Inf from "
            f"{unusable}. Look at the samples, and whether the model has been trained."
        )
    return {name: _with_zero(*limits) for name, limits in zip(layers, ranges.T)}


def _with_zero(low: float, high: float) -> Range:
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    return Range(low, high if high > low else low + 1.0)  # a tensor of zeros alone


class _Batches:
    """The values of some layers, batch by batch, as often as they are asked for."""

    def __init__(
        self,
        model: tf.keras.Model,
        layers: Sequence[str],
        samples: Sequence[np.ndarray],
        size: int,
    ):
        outputs = [model.get_layer(name).output for name in layers]
        self._probe = tf.keras.Model(model.inputs, outputs)
        self._samples = samples
        self._starts = range(0, len(samples[0]), size)
        self._size = size

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        for start in self._starts:
            batch = [array[start : start + self._size] for array in self._samples]
            structure = tf.nest.pack_sequence_as(self._probe.input, batch)
            values = tf.nest.flatten(self._probe(structure, training=False))
            yield [value.numpy() for value in values]


def _limits(values: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([[v.min() for v in values], [v.max() for v in values]], np.float64)


def _min_max(batches: _Batches, calibration: Calibration) -> np.ndarray:
    """The limits of each layer, [2, layers]."""
    limits = np.stack([_limits(values) for values in batches])  # [batches, 2, layers]
    return np.stack([limits[:, 0].min(axis=0), limits[:, 1].max(axis=0)])


def _moving_average(batches: _Batches, calibration: Calibration) -> np.ndarray:
    average, *rest = [_limits(values) for values in batches]
    for limits in rest:
        average = average + (1.0 - calibration.momentum) * (limits - average)
    return average


def _percentile(batches: _Batches, calibration: Calibration) -> np.ndarray:
    low, high = _min_max(batches, calibration)
    if not np.isfinite([low, high]).all():
        return np.stack([low, high])
    counts = np.zeros((len(low), _BINS), np.int64)
    for values in batches:
        for row, one, *limits in zip(counts, values, low, high):
            row += np.histogram(one, _BINS, (limits[0], limits[1]))[0]
    outside = (1.0 - calibration.percentile / 100.0) / 2.0
    shares = np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)
    first = (shares > outside).argmax(axis=1)  # the bins that hold the limits
    last = (shares >= 1.0 - outside).argmax(axis=1)
    width = (high - low) / _BINS
    return np.stack([low + first * width, low + (last + 1) * width])


_OBSERVERS: dict[str, Any] = {
    "min_max": _min_max,
    "percentile": _percentile,
    "moving_average": _moving_average,
}
