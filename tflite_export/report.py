"""What an export did and what came out, as one value and as JSON."""

import dataclasses
import importlib.metadata
import platform
from collections import Counter

import larq as lq
import tensorflow as tf

import larq_irnet
from tflite_export.benchmarking import Latency
from tflite_export.binary_layers import BinaryLayer
from tflite_export.calibration import Calibration
from tflite_export.findings import Finding
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.layer_outcomes import LayerOutcome
from tflite_export.operator_latency import OperatorLatency
from tflite_export.operator_macs import multiply_accumulates
from tflite_export.report_json import report_json
from tflite_export.rewrites import Rewrite
from tflite_export.twins import FLOAT_TWIN
from tflite_export.verification import Verification

__all__ = ["OperatorSummary", "Report", "machine", "summarize_operators", "versions"]


@dataclasses.dataclass(frozen=True)
class OperatorSummary:
    """All operators of one kind.

    # Attributes
        name: "CONV_2D", "LceBconv2d", ...
        count: How many there are.
        constant_bytes: Weights and other constants that only they read.
        macs: Multiply-accumulates for one image.
    """

    name: str
    count: int
    constant_bytes: int
    macs: int


@dataclasses.dataclass(frozen=True)
class Report:
    """Everything that is known about one export.

    # Attributes
        model: Name of the Keras model.
        model_bytes: Size of the .tflite.
        findings: What a user should know, by layer.
        rewrites: What was changed in the Keras model before the conversion, in order.
        layers: What became of each layer, and why.
        binary_layers: Expected against actual binary convolutions.
        operators: Kinds of operators and their weight in bytes.
        verification: What was compared with Keras, and how it went.
        int8: How ranges were measured, if what is not binary computes in int8.
        calibration_samples: How many samples they were measured on.
        packed_kernels: Kernels of float operators that are stored as bits.
        float16_constants: Constants that are stored in half precision.
        latencies: Of the model on this machine, with each kernel, and with XNNPACK
            for what is float.
        twins: Sizes and latencies of what it is measured against: the same network in
            float; for an int8 export also with int8 weights and activations, and the
            export without int8.
        operator_latencies: Each operator alone, with the faster kernel.
        versions: Of the packages involved.
        machine: Where it was measured.
    """

    model: str
    model_bytes: int
    findings: tuple[Finding, ...]
    rewrites: tuple[Rewrite, ...]
    layers: tuple[LayerOutcome, ...]
    binary_layers: tuple[BinaryLayer, ...]
    operators: tuple[OperatorSummary, ...]
    verification: Verification
    int8: Calibration | None
    calibration_samples: int
    packed_kernels: tuple[str, ...]
    float16_constants: tuple[str, ...]
    latencies: tuple[Latency, ...]
    twins: tuple[Latency, ...]
    operator_latencies: tuple[OperatorLatency, ...]
    versions: dict[str, str]
    machine: str

    @property
    def float_bytes(self) -> int | None:
        """Size of the float twin's .tflite, if there is one."""
        sizes = (one.model_bytes for one in self.twins if one.name == FLOAT_TWIN)
        return next(sizes, None)

    @property
    def fastest(self) -> Latency | None:
        """The latency with the faster kernel, if it was measured."""
        return min(self.latencies, key=lambda one: one.median_ms, default=None)

    def to_json(self) -> str:
        """The report as JSON; numbers that are not finite become null."""
        return report_json(self)


def summarize_operators(flatbuffer: Flatbuffer) -> list[OperatorSummary]:
    """Counts operators by kind, the heaviest first; a shared constant counts once."""
    counts = Counter(operator.name for operator in flatbuffer.operators)
    constant_bytes: Counter[str] = Counter()
    macs: Counter[str] = Counter()
    seen = set()
    for operator in flatbuffer.operators:
        macs[operator.name] += multiply_accumulates(operator)
        for tensor in operator.inputs:
            if tensor.constant_bytes and tensor.buffer not in seen:
                seen.add(tensor.buffer)
                constant_bytes[operator.name] += tensor.constant_bytes
    summaries = [
        OperatorSummary(name, count, constant_bytes[name], macs[name])
        for name, count in counts.items()
    ]
    return sorted(summaries, key=lambda one: (-one.constant_bytes, one.name))


def versions() -> dict[str, str]:
    """The versions of the packages that an export depends on."""
    return {
        "larq-irnet": larq_irnet.__version__,
        "tensorflow": tf.__version__,
        "larq": lq.__version__,
        "larq-compute-engine": importlib.metadata.version("larq-compute-engine"),
    }


def machine() -> str:
    """The processor and system, in a few words."""
    return (
        f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    )
