"""Does the .tflite compute what the Keras model computes?

A plain comparison of logits cannot tell. The two sum in different orders, so a value
next to zero may get another sign, and one such flip moves later layers by whole
integers: a correct conversion looks wrong, or a tolerance that forgives it hides a real
miscompilation. So there are three looks:

- *Part by part*, on the values that Keras computes: see `part_verification`.
- *Flips.* The whole flatbuffer runs with its inner tensors as outputs, and signs that
  differ are counted.
- *End to end.* Arg-max agreement and accuracy on all samples, with each kernel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.interpreting import KERNELS, run_samples
from tflite_export.part_verification import Part, PartVerifier

__all__ = [
    "FLOAT16_TOLERANCE",
    "FLOAT32_TOLERANCE",
    "EndToEnd",
    "Verification",
    "random_samples",
    "verify",
]

# Part by part, relative to the largest value of the tensor. Float32 rounding (6e-8) of
# sums of about a thousand terms, multiplied by a BatchNorm that may amplify it a
# hundredfold, stays below; a wrong border or a lost sign gives 1e-2 and more.
FLOAT32_TOLERANCE = 1e-4
# Constants in half precision are off by 5e-4 each; in a sum most of it cancels.
FLOAT16_TOLERANCE = 2e-3

_RANDOM_SAMPLES = 64
_FEWEST_RANDOM_SAMPLES = 16
_RANDOM_VALUES = 2**21  # all samples together, or the fewest
_EAGER_SAMPLES = 16  # at most: tracing a deep network takes longer
_LOWEST_AGREEMENT = 0.9  # below it, sign flips no longer explain the difference
_ENOUGH_SAMPLES = 50  # for a judgement by agreement: fewer say too little


@dataclass(frozen=True)
class EndToEnd:
    """The whole model with one kernel.

    # Attributes
        kernel: "default" or "indirect".
        agreement: Share of samples (or pixels) with the same arg-max as Keras; `None`
            if there is only one class.
        accuracy: Share of samples classified rightly, if labels were given.
        largest_difference: Of any output value.
    """

    kernel: str
    agreement: float | None
    accuracy: float | None
    largest_difference: float


@dataclass(frozen=True)
class Verification:
    """What was compared and what came out.

    # Attributes
        parts: Part by part, in the order of the model.
        flips: Signs that differ when the whole model runs.
        signs: Signs that were compared for that.
        end_to_end: The first output of the whole model, for each kernel; empty if the
            runtime refused it.
        keras_accuracy: Of the Keras model on the same samples, if labels were given.
        samples: Number of samples end to end.
        given: Whether the samples were given, or random.
        failure: What the runtime said if it refused the whole model, else empty.
    """

    parts: tuple[Part, ...]
    flips: int
    signs: int
    end_to_end: tuple[EndToEnd, ...]
    keras_accuracy: float | None
    samples: int
    given: bool
    failure: str = ""

    def findings(self) -> list[Finding]:
        """Everything that is wrong."""
        found = [part.finding() for part in self.parts if not part.is_right]
        if self.given and self.samples >= _ENOUGH_SAMPLES:
            found += [
                _disagreement(one.kernel, one.agreement)
                for one in self.end_to_end
                if one.agreement is not None and not one.agreement >= _LOWEST_AGREEMENT
            ]
        if self.failure and not any(part.failure for part in self.parts):
            found.append(_refused(self.failure))
        return found


def _disagreement(kernel: str, agreement: float) -> Finding:
    return Finding(
        "error",
        "output",
        f"with the {kernel} kernel only {agreement:.1%} of the samples have Keras' "
        "arg-max.",
        "look at the parts with the largest error in the report.",
    )


def _refused(failure: str) -> Finding:
    return Finding(
        "error",
        "output",
        f"the runtime refuses the converted model: {failure}",
        "export parts of the model to find the layer that it refuses.",
    )


def _accuracy(outputs: np.ndarray, labels: np.ndarray | None) -> float | None:
    if labels is None or outputs.ndim != 2 or outputs.shape[-1] < 2:
        return None
    return float((outputs.argmax(axis=-1) == labels).mean())


def _agreement(actual: np.ndarray, expected: np.ndarray) -> float | None:
    if expected.shape[-1] < 2:
        return None
    return float((actual.argmax(axis=-1) == expected.argmax(axis=-1)).mean())


def random_samples(model: tf.keras.Model) -> list[np.ndarray]:
    """Normal numbers for floating inputs, bytes for those of images; always the same.

    # Returns
        One array [N, ...] for each input.

    # Raises
        ValueError: for inputs of other types, which may be numbers of classes.
    """
    generator = np.random.default_rng(0)
    others = [x.name for x in model.inputs if not _takes_random_numbers(x.dtype)]
    if others:
        raise ValueError(
            f"Expected samples to verify with, got none: random numbers do not fit the "
            f"inputs {others}, which are neither floating nor bytes."
        )
    values = sum(math.prod(x.shape[1:]) for x in model.inputs)
    count = min(max(_RANDOM_VALUES // values, _FEWEST_RANDOM_SAMPLES), _RANDOM_SAMPLES)
    samples = []
    for tensor in model.inputs:
        shape = (count, *tensor.shape[1:])
        if tensor.dtype == tf.uint8:
            samples.append(generator.integers(0, 256, shape, dtype=np.uint8))
        else:
            samples.append(generator.standard_normal(shape).astype(np.float32))
    return samples


def _takes_random_numbers(dtype: tf.DType) -> bool:
    return bool(dtype.is_floating or dtype == tf.uint8)


def _in_runtime_order(
    flatbuffer: Flatbuffer, samples: Sequence[np.ndarray]
) -> list[np.ndarray]:
    numbers = {
        tensor.index: int(name.removeprefix("input_"))
        for name, tensor in flatbuffer.named_inputs().items()
    }
    return [samples[numbers[tensor.index]] for tensor in flatbuffer.inputs]


def _keras_output(model: tf.keras.Model, samples: Sequence[np.ndarray]) -> np.ndarray:
    structure = tf.nest.pack_sequence_as(model.input, list(samples))
    if len(samples[0]) > _EAGER_SAMPLES:
        return tf.nest.flatten(model.predict(structure, verbose=0))[0]
    return tf.nest.flatten(model(structure, training=False))[0].numpy()


def _end_to_end(
    model: tf.keras.Model,
    flatbuffer: Flatbuffer,
    samples: Sequence[np.ndarray],
    labels: np.ndarray | None,
) -> tuple[list[EndToEnd], float | None]:
    expected = _keras_output(model, samples)
    first = flatbuffer.named_outputs()["output_0"].index
    position = [tensor.index for tensor in flatbuffer.outputs].index(first)
    feeds = [
        tensor.stored(array)
        for tensor, array in zip(
            flatbuffer.inputs, _in_runtime_order(flatbuffer, samples)
        )
    ]
    results = []
    for kernel, options in KERNELS.items():
        actual = flatbuffer.outputs[position].real(
            run_samples(flatbuffer.content, feeds, **options)[position]
        )
        results.append(
            EndToEnd(
                kernel=kernel,
                agreement=_agreement(actual, expected),
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
    original: tf.keras.Model | None = None,
    deployed: Flatbuffer | None = None,
    tolerance: float = FLOAT32_TOLERANCE,
) -> Verification:
    """Compares a flatbuffer with the Keras model that it was made from.

    # Arguments
        model: The float32 model that was converted.
        flatbuffer: What became of it, by `tflite_export.conversion.convert`.
        samples: One array [N, ...] for each input; `None` takes `random_samples`, which
            tell right from wrong but nothing about accuracy.
        labels: Classes [N] of the samples.
        original: What `model` was rewritten from, which the whole is compared with;
            `None` for the model itself.
        deployed: What is run end to end, if that differs from `flatbuffer` in names,
            by which parts are found.
        tolerance: Of a part in float, relative to its largest value.

    # Raises
        ValueError: if there are no samples and an input is neither floating nor bytes;
            if the Keras model gives NaN or Inf.
    """
    inputs = random_samples(model) if samples is None else list(samples)
    verifier = PartVerifier(model, flatbuffer, inputs, tolerance)
    parts = tuple(verifier.parts())
    flips = signs = 0
    end_to_end: list[EndToEnd] = []
    keras_accuracy, failure = None, ""
    try:
        flips, signs = verifier.count_flips()
        end_to_end, keras_accuracy = _end_to_end(
            original or model, deployed or flatbuffer, inputs, labels
        )
    except RuntimeError as refusal:
        failure = str(refusal)
    return Verification(
        parts=parts,
        flips=flips,
        signs=signs,
        end_to_end=tuple(end_to_end),
        keras_accuracy=keras_accuracy,
        samples=len(inputs[0]),
        given=samples is not None,
        failure=failure,
    )
