"""The deployed flatbuffer part by part, each part on the values that Keras computes.

The flatbuffer is cut between tensors that have a twin in the Keras model. A part is fed
with Keras' values and has to return Keras' values within rounding: signs are taken of
equal numbers, so nothing flips. Where a sign lies inside a part, images with a value
next to zero there are set aside. If that leaves none, or the sign cannot be looked at
(in a nested model), 95 % of the values of the best image have to be right: a flip
touches a few, and a miscompilation spares no image.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.flatbuffer import Flatbuffer, Operator, Tensor
from tflite_export.interpreting import FAST_KERNEL, KERNELS, run_samples
from tflite_export.layer_walk import is_binary
from tflite_export.tensor_matching import Match, keras_values, match_tensors

__all__ = ["Part", "PartVerifier"]

# Steps of an int8 output: next to the middle of two steps an operator may take the
# other one; sums and means round their inputs or multipliers as well.
_STEPS = 3
_NEAR_ZERO = 1e-5  # a pre-sign value, relative to the largest, that rounding can flip
_PART_SAMPLES = 8  # images that each part is compared on
_SPARE_SAMPLES = 64  # images to choose them from, if memory allows
_SPARE_BYTES = 2**29
_FLIPPED_SHARE = 0.05  # of the values of an image


@dataclass(frozen=True)
class Part:
    """One part of the flatbuffer, compared on Keras' own values.

    # Attributes
        layer: Name of the Keras layer at its end.
        operators: What runs in it.
        error: Largest difference, relative to the largest value, over both kernels.
        compared: Images that were compared.
        set_aside: Images left out for a value next to zero at a sign inside the part.
        tolerance: What rounding explains of the error.
        failure: What the runtime said if it refused the part, else empty.
    """

    layer: str
    operators: tuple[str, ...]
    error: float
    compared: int
    set_aside: int
    tolerance: float
    failure: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it ran and is within rounding."""
        return not self.failure and self.error <= self.tolerance

    def finding(self) -> Finding:
        """What to say about a part that is not right."""
        reason = (
            f"the runtime refuses {', '.join(self.operators)}: {self.failure}"
            if self.failure
            else f"the converted layer is off by {self.error:.2g} of its largest value "
            f"({', '.join(self.operators)}), on the values that Keras computes from."
        )
        remedy = "replace the layer, or change its padding or stride, and export again."
        return Finding("error", self.layer, reason, remedy)


def _producers(flatbuffer: Flatbuffer) -> dict[int, Operator]:
    return {
        tensor.index: operator
        for operator in flatbuffer.operators
        for tensor in operator.outputs
    }


def _nearest_matched(
    tensor: Tensor, matched: dict[int, Match], producers: dict[int, Operator]
) -> list[Match]:
    """The matched tensors that `tensor` is computed from, without others between."""
    found: dict[int, Match] = {}
    seen: set[int] = set()
    to_visit = list(producers[tensor.index].inputs)
    while to_visit:
        current = to_visit.pop()
        if current.index in matched:
            found[current.index] = matched[current.index]
        elif current.index in producers and current.index not in seen:
            seen.add(current.index)
            to_visit.extend(producers[current.index].inputs)
    return [found[index] for index in sorted(found)]


class PartVerifier:
    """Compares the parts of one flatbuffer with Keras, on a few samples.

    # Arguments
        model: The float32 model that was converted.
        flatbuffer: What became of it.
        samples: One array [N, ...] for each input.
        tolerance: Of a part in float, relative to its largest value.

    # Raises
        ValueError: if the Keras model gives NaN or Inf.
    """

    def __init__(
        self,
        model: tf.keras.Model,
        flatbuffer: Flatbuffer,
        samples: Sequence[np.ndarray],
        tolerance: float,
    ):
        self._tolerance = tolerance
        self._flatbuffer = flatbuffer
        self._matches = match_tensors(model, flatbuffer)
        self._matched = {match.tensor.index: match for match in self._matches}
        self._producers = _producers(flatbuffer)
        self._sign_inputs = [
            (layer.name, layer.get_input_at(node))
            for layer in model.layers
            if is_binary(layer)
            for node in range(len(layer.inbound_nodes))
        ]
        tensors = {id(m.keras_tensor): m.keras_tensor for m in self._matches}
        tensors |= {id(tensor): tensor for _, tensor in self._sign_inputs}
        count = _affordable_samples(tensors.values())
        self._samples = [array[:count] for array in samples]
        values = keras_values(model, list(tensors.values()), self._samples)
        self._values = dict(zip(tensors, values))
        self._check_finite()

    def _check_finite(self) -> None:
        bad = [m.layer for m in self._matches if not np.isfinite(self._value(m)).all()]
        if bad:
            raise ValueError(
                f"Expected finite numbers in all layers of the Keras model, got NaN or "
                f"Inf out of {bad[0]!r}. Check its weights, and verify with samples "
                "that the model is made for: without any, they are normal numbers."
            )

    def _value(self, match: Match) -> np.ndarray:
        return self._values[id(match.keras_tensor)]

    def parts(self) -> list[Part]:
        """All parts, in the order of the model."""
        computed = [m for m in self._matches if m.tensor.index in self._producers]
        return [self._part(match) for match in computed]

    def _part(self, match: Match) -> Part:
        sources = _nearest_matched(match.tensor, self._matched, self._producers)
        tensors = [source.tensor for source in sources]
        operators = self._flatbuffer.operators_between(tensors, [match.tensor])
        names = tuple(operator.name for operator in operators)
        usable, all_seen = self._usable(operators, sources)
        total = len(usable)
        is_clean = all_seen and usable.any()
        chosen = np.flatnonzero(usable if is_clean else np.ones(total, bool))
        chosen = chosen[:_PART_SAMPLES]
        inputs = [
            source.tensor.stored(self._value(source)[chosen]) for source in sources
        ]
        expected = match.tensor.real(match.tensor.stored(self._value(match)[chosen]))
        try:
            errors = self._errors(match, tensors, inputs, expected)
        except RuntimeError as refusal:
            return Part(match.layer, names, math.inf, 0, 0, 0.0, str(refusal))
        if is_clean:
            error, compared = errors.max(), len(chosen)
        else:  # flips touch a few values of some images
            error = np.quantile(
                errors, 1 - _FLIPPED_SHARE, axis=1, method="higher"
            ).min()
            compared = 1
        set_aside = int((~usable).sum()) if is_clean else total - 1
        steps = _STEPS * self._step(match.tensor) / _largest(expected)
        tolerance = self._tolerance + steps
        return Part(match.layer, names, float(error), compared, set_aside, tolerance)

    def _step(self, tensor: Tensor) -> float:
        """Of the int8 tensor that it is, or is read from; 0 for what was never int8."""
        operator = self._producers[tensor.index]
        if operator.name == "DEQUANTIZE":
            return operator.inputs[0].scale
        return tensor.scale

    def _errors(
        self,
        match: Match,
        tensors: Sequence[Tensor],
        inputs: Sequence[np.ndarray],
        expected: np.ndarray,
    ) -> np.ndarray:
        """The relative error of each value over all kernels, [N, values]."""
        content = self._flatbuffer.part(tensors, [match.tensor])
        largest = _largest(expected)
        errors = np.zeros((len(expected), expected[0].size))
        for options in KERNELS.values():
            (actual,) = run_samples(content, inputs, **options)
            difference = np.abs(match.tensor.real(actual) - expected) / largest
            difference = difference.reshape(errors.shape)
            errors = np.maximum(errors, np.nan_to_num(difference, nan=np.inf))
        return errors

    def _usable(
        self, operators: Sequence[Operator], sources: Sequence[Match]
    ) -> tuple[np.ndarray, bool]:
        """Images without a value next to zero at a sign inside a part.

        # Returns
            A mask over the images, and whether all signs inside could be looked at.
        """
        fed = {source.tensor.index for source in sources}
        inside = sum(_takes_sign_inside(operator, fed) for operator in operators)
        outside = {id(source.keras_tensor) for source in sources}
        names = [name for operator in operators for name in operator.names]
        usable = np.ones(len(self._samples[0]), dtype=bool)
        seen = 0
        for layer_name, tensor in self._sign_inputs:
            is_named = any(layer_name in name.split("/") for name in names)
            if is_named and id(tensor) not in outside:
                seen += 1
                magnitude = np.abs(self._values[id(tensor)]).reshape(len(usable), -1)
                usable &= magnitude.min(axis=1) > _NEAR_ZERO * magnitude.max()
        return usable, seen >= inside

    def count_flips(self) -> tuple[int, int]:
        """Signs that differ in a run of the whole model, and signs compared.

        # Raises
            RuntimeError: if the runtime refuses the model.
        """
        signed = {
            operator.inputs[0].index
            for operator in self._flatbuffer.operators
            if operator.name == "LceQuantize"
        }
        matches = [match for match in self._matches if match.tensor.index in signed]
        computed = [m for m in matches if m.tensor.index in self._producers]
        if not computed:
            return 0, 0
        inputs = self._flatbuffer.inputs
        content = self._flatbuffer.part(inputs, [m.tensor for m in computed])
        feeds = [
            tensor.stored(self._value(self._matched[tensor.index])) for tensor in inputs
        ]
        outputs = run_samples(content, feeds, **KERNELS[FAST_KERNEL])
        flips = signs = 0
        for match, output in zip(computed, outputs):
            expected = match.tensor.stored(self._value(match))
            zero = match.tensor.zero_point
            flips += int(((output >= zero) != (expected >= zero)).sum())
            signs += output.size
        return flips, signs


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max()) or 1.0


def _takes_sign_inside(operator: Operator, fed: Collection[int]) -> bool:
    """Whether a sign is taken of values that are computed inside a part."""
    if operator.name == "LceQuantize":
        return operator.inputs[0].index not in fed
    return operator.name == "LceBconv2d" and operator.outputs[0].dtype == "int32"


def _affordable_samples(tensors: Iterable[Any]) -> int:
    """How many images may be computed at once, all tensors of the model kept."""
    values = sum(math.prod(tensor.shape[1:]) for tensor in tensors)
    affordable = _SPARE_BYTES // (values * np.dtype(np.float32).itemsize)
    return min(max(affordable, _PART_SAMPLES), _SPARE_SAMPLES)
