"""Whether a device computes what this machine computes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tflite_export.device.device_error import DeviceError
from tflite_export.device.measured_models import MeasuredModel
from tflite_export.device.runs import input_file, output_file
from tflite_export.flatbuffer import Flatbuffer, Tensor
from tflite_export.interpreting import run_samples

__all__ = ["OutputCheck", "check_outputs", "random_samples", "write_inputs"]

_FLOAT_TOLERANCE = 1e-3  # of the largest output: other orders of summation
_INT8_TOLERANCE = 3 / 127  # three steps of int8
_ENOUGH_AGREEMENT = 0.9  # of the classes, if many signs flip


@dataclass(frozen=True)
class OutputCheck:
    """Outputs of the device beside those of this machine, for the same inputs.

    Processors sum in different orders, and a sum near zero may change its sign, which
    a binary network then sees as a whole step. This happens to some inputs; a wrong
    computation is wrong for all of them.

    # Attributes
        model: Name of the model.
        samples: How many inputs were compared.
        identical: For how many all outputs have the same bits.
        close: For how many the outputs differ by rounding at most.
        agreement: Share of the samples with the same arg-max of the first output;
            `None` if that has one value only.
        largest_difference: Of any two outputs.
        largest_value: Of the outputs of this machine.
    """

    model: str
    samples: int
    identical: int
    close: int
    agreement: float | None
    largest_difference: float
    largest_value: float

    @property
    def is_right(self) -> bool:
        """Whether the device computes the same function."""
        agrees = self.agreement is not None and self.agreement >= _ENOUGH_AGREEMENT
        return 2 * self.close >= self.samples or (self.close > 0 and agrees)


def random_samples(flatbuffer: Flatbuffer, count: int) -> list[np.ndarray]:
    """One array [N, ...] for each input of a model, always the same ones."""
    generator = np.random.default_rng(0)
    return [
        generator.standard_normal((count, *tensor.shape[1:])).astype(np.float32)
        for tensor in flatbuffer.inputs
    ]


def write_inputs(
    model: MeasuredModel,
    flatbuffer: Flatbuffer,
    samples: Sequence[np.ndarray],
    folder: Path,
) -> list[Path]:
    """Writes inputs as the benchmark tool reads them: the bytes of each tensor.

    # Arguments
        model: What is to be run on them.
        flatbuffer: The same.
        samples: One array [N, ...] for each input.
        folder: Where to write them.

    # Returns
        The files.

    # Raises
        ValueError: for samples that do not fit.
    """
    expected = [tensor.shape[1:] for tensor in flatbuffer.inputs]
    shapes = [array.shape[1:] for array in samples]
    if shapes != expected:
        raise ValueError(
            f"Expected samples of shape {expected} for the {model.name} model, got "
            f"{shapes}."
        )
    files = []
    for index, stored in enumerate(_stored(flatbuffer, samples)):
        for number, sample in enumerate(stored):
            path = folder / input_file(model, number, index)
            path.write_bytes(np.ascontiguousarray(sample).tobytes())
            files.append(path)
    return files


def _stored(flatbuffer: Flatbuffer, samples: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [
        tensor.stored(array).astype(tensor.dtype)
        for tensor, array in zip(flatbuffer.inputs, samples)
    ]


def check_outputs(
    model: MeasuredModel,
    flatbuffer: Flatbuffer,
    samples: Sequence[np.ndarray],
    folder: Path,
) -> OutputCheck:
    """Compares what the device has written with what this machine computes.

    # Arguments
        model: What was run.
        flatbuffer: The same.
        samples: On what; one array [N, ...] for each input.
        folder: Where the outputs of the device lie.

    # Raises
        DeviceError: if they are not as long as they should be.
    """
    expected = run_samples(flatbuffer.content, _stored(flatbuffer, samples))
    count = len(samples[0])
    actual = [
        _read_outputs(folder / output_file(model, number), flatbuffer.outputs)
        for number in range(count)
    ]
    is_int8 = any(tensor.dtype == "int8" for tensor in flatbuffer.tensors)
    real = [
        (tensor.real(np.concatenate(there)), tensor.real(here))
        for tensor, there, here in zip(flatbuffer.outputs, zip(*actual), expected)
    ]
    tolerance = _INT8_TOLERANCE if is_int8 else _FLOAT_TOLERANCE
    differences = np.array([_differences(there, here) for there, here in real])
    largest = [float(np.abs(here).max(initial=0.0)) for _, here in real]
    limits = tolerance * np.maximum(largest, np.finfo(np.float32).tiny)[:, None]
    there, here = real[0]
    return OutputCheck(
        model=model.name,
        samples=count,
        identical=int((differences == 0).all(axis=0).sum()),
        close=int((differences <= limits).all(axis=0).sum()),
        agreement=_agreement(there, here),
        largest_difference=float(differences.max(initial=0.0)),
        largest_value=max(largest),
    )


def _agreement(there: np.ndarray, here: np.ndarray) -> float | None:
    if here.shape[-1] < 2:
        return None
    return float((there.argmax(axis=-1) == here.argmax(axis=-1)).mean())


def _differences(there: np.ndarray, here: np.ndarray) -> np.ndarray:
    """The largest difference of each sample; infinite where numbers are not finite."""
    apart = np.abs(there.astype(np.float64) - here.astype(np.float64))
    apart[there == here] = 0.0
    return np.nan_to_num(apart, nan=np.inf).reshape(len(here), -1).max(axis=1)


def _read_outputs(path: Path, tensors: Sequence[Tensor]) -> list[np.ndarray]:
    content = path.read_bytes()
    sizes = [_bytes_of(tensor) for tensor in tensors]
    if len(content) != sum(sizes):
        raise DeviceError(
            f"Expected {sum(sizes)} bytes of outputs from the device, got "
            f"{len(content)}. Give the model that was exported for it, with outputs of "
            "a fixed size."
        )
    arrays, start = [], 0
    for tensor, size in zip(tensors, sizes):
        flat = np.frombuffer(content[start : start + size], dtype=tensor.dtype)
        arrays.append(flat.reshape(tensor.shape))
        start += size
    return arrays


def _bytes_of(tensor: Tensor) -> int:
    return int(np.prod(tensor.shape)) * np.dtype(tensor.dtype).itemsize
