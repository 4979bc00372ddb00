"""Does the .tflite compute what the Keras model computes?

A plain comparison of logits cannot tell. The two sum in different orders, so a value
next to zero may get another sign, and one such flip moves later layers by whole
integers: a correct conversion looks wrong, or a tolerance that forgives it hides a real
miscompilation. So there are three looks:

- *Part by part.* The very flatbuffer that is to be deployed is cut between tensors that
  have a twin in the Keras model; each part is fed with Keras' values and has to return
  Keras' values within rounding. Signs are taken of equal numbers, so nothing flips.
  Where a sign lies inside a part, images with a value next to zero there are set
  aside; where it cannot be looked at (in a nested model), one right image suffices,
  because a miscompilation spares none.
- *Flips.* The whole flatbuffer runs with its inner tensors as outputs, and signs that
  differ are counted.
- *End to end.* Arg-max agreement and accuracy on all samples, with each kernel.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.flatbuffer import Flatbuffer, Operator, Tensor
from tflite_export.interpreting import KERNELS, run_samples
from tflite_export.layer_walk import is_binary
from tflite_export.tensor_matching import Match, keras_values, match_tensors

__all__ = ["EndToEnd", "Part", "Verification", "verify"]

# Part by part, relative to the largest value of the tensor. Float32 rounding (6e-8) of
# sums of about a thousand terms, multiplied by a BatchNorm that may amplify it a
# hundredfold, stays below; a wrong border or a lost sign gives 1e-2 and more.
_TOLERANCE = 1e-4
_NEAR_ZERO = 1e-5  # a pre-sign value, relative to the largest, that rounding can flip
_PART_SAMPLES = 8
_LOWEST_AGREEMENT = 0.9  # below it, sign flips no longer explain the difference


@dataclass(frozen=True)
class Part:
    """One part of the flatbuffer, compared on Keras' own values.

    # Attributes
        layer: Name of the Keras layer at its end.
        operators: What runs in it.
        error: Largest difference, relative to the largest value, over both kernels.
        compared: Images that were compared.
        set_aside: Images with a value next to zero at a sign inside the part.
        failure: What the runtime said if it refused the part, else empty.
    """

    layer: str
    operators: tuple[str, ...]
    error: float
    compared: int
    set_aside: int
    failure: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it is within rounding, or nothing could be compared."""
        return not self.failure and self.error <= _TOLERANCE


@dataclass(frozen=True)
class EndToEnd:
    """The whole model with one kernel.

    # Attributes
        kernel: "default" or "indirect".
        agreement: Share of samples with the same arg-max as Keras.
        accuracy: Share of samples classified rightly, if labels were given.
        largest_difference: Of any output value.
    """

    kernel: str
    agreement: float
    accuracy: float | None
    largest_difference: float


@dataclass(frozen=True)
class Verification:
    """What was compared and what came out.

    # Attributes
        parts: Part by part, in the order of the model.
        flips: Signs that differ when the whole model runs.
        signs: Signs that were compared for that.
        end_to_end: The whole model, for each kernel.
        keras_accuracy: Of the Keras model on the same samples, if labels were given.
        samples: Number of samples end to end.
        given: Whether the samples were given, or random.
    """

    parts: tuple[Part, ...]
    flips: int
    signs: int
    end_to_end: tuple[EndToEnd, ...]
    keras_accuracy: float | None
    samples: int
    given: bool

    def findings(self) -> list[Finding]:
        """Everything that is wrong."""
        found = [_wrong_part(part) for part in self.parts if not part.is_right]
        found += [
            _disagreement(one)
            for one in self.end_to_end
            if self.given and not one.agreement >= _LOWEST_AGREEMENT
        ]
        found += [_inconclusive(part) for part in self.parts if part.compared == 0]
        return found


def _wrong_part(part: Part) -> Finding:
    reason = (
        f"the runtime refuses {', '.join(part.operators)}: {part.failure}"
        if part.failure
        else f"the converted layer is off by {part.error:.2g} of its largest value "
        f"({', '.join(part.operators)}), on the values that Keras computes from."
    )
    remedy = "replace the layer, or change its padding or stride, and export again."
    return Finding("error", part.layer, reason, remedy)


def _disagreement(one: EndToEnd) -> Finding:
    return Finding(
        "error",
        "output",
        f"with the {one.kernel} kernel only {one.agreement:.1%} of the samples have "
        "Keras' arg-max.",
        "look at the parts with the largest error in the report.",
    )


def _inconclusive(part: Part) -> Finding:
    return Finding(
        "note",
        part.layer,
        "not compared: every image had a value next to zero at a sign inside the part.",
        "verify with real images and a trained model.",
    )


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


class _PartVerifier:
    """Compares the parts of one flatbuffer with Keras, on a few samples."""

    def __init__(
        self,
        model: tf.keras.Model,
        flatbuffer: Flatbuffer,
        samples: Sequence[np.ndarray],
    ):
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
        self._samples = [array[:_PART_SAMPLES] for array in samples]
        tensors = {id(m.keras_tensor): m.keras_tensor for m in self._matches}
        tensors |= {id(tensor): tensor for _, tensor in self._sign_inputs}
        values = keras_values(model, list(tensors.values()), self._samples)
        self._values = dict(zip(tensors, values))

    def _value(self, match: Match) -> np.ndarray:
        return self._values[id(match.keras_tensor)]

    def parts(self) -> list[Part]:
        computed = [m for m in self._matches if m.tensor.index in self._producers]
        return [self._part(match) for match in computed]

    def _part(self, match: Match) -> Part:
        sources = _nearest_matched(match.tensor, self._matched, self._producers)
        tensors = [source.tensor for source in sources]
        operators = self._flatbuffer.operators_between(tensors, [match.tensor])
        names = tuple(operator.name for operator in operators)
        usable, all_seen = self._usable(operators, sources)
        inputs = [self._value(source)[usable] for source in sources]
        try:
            errors = self._errors(match, tensors, inputs, usable)
        except RuntimeError as refusal:
            return Part(match.layer, names, math.nan, 0, 0, str(refusal))
        if not all_seen:  # then flips cannot be told apart, but spare some image
            errors = np.sort(errors)[:1]
        return Part(
            layer=match.layer,
            operators=names,
            error=float(errors.max(initial=0.0)),
            compared=errors.size,
            set_aside=usable.size - errors.size,
        )

    def _errors(
        self,
        match: Match,
        tensors: Sequence[Tensor],
        inputs: Sequence[np.ndarray],
        usable: np.ndarray,
    ) -> np.ndarray:
        """The largest relative error of each usable image over all kernels."""
        errors = np.zeros(usable.sum())
        if usable.any():
            content = self._flatbuffer.part(tensors, [match.tensor])
            expected = self._value(match)[usable]
            for options in KERNELS.values():
                (actual,) = run_samples(content, inputs, **options)
                errors = np.maximum(errors, _relative_errors(actual, expected))
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
        """Signs that differ in a run of the whole model, and signs compared."""
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
        feeds = [self._value(self._matched[tensor.index]) for tensor in inputs]
        outputs = run_samples(content, feeds)
        flips = signs = 0
        for match, output in zip(computed, outputs):
            flips += int(((output >= 0) != (self._value(match) >= 0)).sum())
            signs += output.size
        return flips, signs


def _takes_sign_inside(operator: Operator, fed: Collection[int]) -> bool:
    """Whether a sign is taken of values that are computed inside a part."""
    if operator.name == "LceQuantize":
        return operator.inputs[0].index not in fed
    return operator.name == "LceBconv2d" and operator.outputs[0].dtype == "int32"


def _relative_errors(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The largest error of each image, relative to the largest value of all."""
    largest = float(np.abs(expected).max()) or 1.0
    differences = np.abs(actual - expected).reshape(len(expected), -1)
    errors = differences.max(axis=1) / largest
    return np.where(np.isfinite(errors), errors, np.inf)


def _accuracy(outputs: np.ndarray, labels: np.ndarray | None) -> float | None:
    if labels is None:
        return None
    return float((outputs.argmax(axis=-1) == labels).mean())


def _random_samples(model: tf.keras.Model) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [
        generator.standard_normal((_PART_SAMPLES, *x.shape[1:])).astype(np.float32)
        for x in model.inputs
    ]


def _in_runtime_order(
    flatbuffer: Flatbuffer, samples: Sequence[np.ndarray]
) -> list[np.ndarray]:
    numbers = {
        tensor.index: int(name.removeprefix("input_"))
        for name, tensor in flatbuffer.named_inputs().items()
    }
    return [samples[numbers[tensor.index]] for tensor in flatbuffer.inputs]


def _end_to_end(
    model: tf.keras.Model,
    flatbuffer: Flatbuffer,
    samples: Sequence[np.ndarray],
    labels: np.ndarray | None,
) -> tuple[list[EndToEnd], float | None]:
    expected = tf.nest.flatten(
        model.predict(tf.nest.pack_sequence_as(model.input, list(samples)), verbose=0)
    )[0]
    first = flatbuffer.named_outputs()["output_0"].index
    position = [tensor.index for tensor in flatbuffer.outputs].index(first)
    feeds = _in_runtime_order(flatbuffer, samples)
    results = []
    for kernel, options in KERNELS.items():
        actual = run_samples(flatbuffer.content, feeds, **options)[position]
        results.append(
            EndToEnd(
                kernel=kernel,
                agreement=float((actual.argmax(-1) == expected.argmax(-1)).mean()),
                accuracy=_accuracy(actual, labels),
                largest_difference=float(np.abs(actual - expected).max()),
            )
        )
    return results, _accuracy(expected, labels)


def verify(
    model: tf.keras.Model,
    flatbuffer: Flatbuffer,
    *,
    samples: Sequence[np.ndarray] | None = None,
    labels: np.ndarray | None = None,
) -> Verification:
    """Compares a flatbuffer with the Keras model that it was made from.

    # Arguments
        model: The float32 model that was converted.
        flatbuffer: What became of it, by `tflite_export.conversion.convert`.
        samples: One array [N, ...] for each input; `None` takes random numbers, which
            tell right from wrong but nothing about accuracy.
        labels: Classes [N] of the samples.
    """
    inputs = _random_samples(model) if samples is None else list(samples)
    parts = _PartVerifier(model, flatbuffer, inputs)
    flips, signs = parts.count_flips()
    end_to_end, keras_accuracy = _end_to_end(model, flatbuffer, inputs, labels)
    return Verification(
        parts=tuple(parts.parts()),
        flips=flips,
        signs=signs,
        end_to_end=tuple(end_to_end),
        keras_accuracy=keras_accuracy,
        samples=len(inputs[0]),
        given=samples is not None,
    )
