"""What `binarize` makes of a network of `keras.applications` at its full size."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

import larq_irnet as irnet
import tflite_export

__all__ = ["BinarizedApplication", "measure_binarized_application"]


@dataclass(frozen=True)
class BinarizedApplication:
    """The network, and what its export says.

    # Attributes
        name: Of the network.
        binarize_seconds: One call of `larq_irnet.binarize`.
        export_seconds: The whole export, with verification and benchmark.
        promised: Binary convolutions that `binarize` promised.
        report: Of the export; its last latency is that of the float twin.
    """

    name: str
    binarize_seconds: float
    export_seconds: float
    promised: int
    report: tflite_export.Report


def measure_binarized_application() -> BinarizedApplication:
    """Binarizes and exports MobileNet on 224x224 images, with initial weights."""
    model = tf.keras.applications.MobileNet(weights=None)
    start = time.perf_counter()
    binary = irnet.binarize(model, method="dirnet", shortcuts="bireal")
    binarized = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = tflite_export.export(binary, Path(folder) / "model.tflite")
    exported = time.perf_counter()
    return BinarizedApplication(
        name="MobileNet",
        binarize_seconds=binarized - start,
        export_seconds=exported - binarized,
        promised=binary.binarization.binary_convolutions,
        report=result.report,
    )
