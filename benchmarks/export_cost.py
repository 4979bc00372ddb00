"""What an export of ResNet-20 on 32x32 images costs, and what it wins."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tflite_export
import zoo

__all__ = ["ExportCost", "measure_export"]


@dataclass(frozen=True)
class ExportCost:
    """Seconds of each stage, and the report.

    # Attributes
        conversion_seconds: Keras to flatbuffer, process start included.
        export_seconds: The whole export, with verification and benchmark.
        report: With sizes and latencies.
    """

    conversion_seconds: float
    export_seconds: float
    report: tflite_export.Report


def measure_export() -> ExportCost:
    """Converts and exports an untrained ResNet-20 with one-padding."""
    from tflite_export.conversion import convert

    model = zoo.ResNet20("irnet", pad_values=1.0)
    start = time.perf_counter()
    convert(model)
    converted = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = tflite_export.export(model, Path(folder) / "model.tflite")
    exported = time.perf_counter()
    return ExportCost(converted - start, exported - converted, result.report)
