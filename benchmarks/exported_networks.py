"""What exports of whole networks cost and win, each in a process of its own.

    python -m benchmarks.exported_networks "ResNet-18"

prints one of them as JSON.
"""

import dataclasses
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

import larq_irnet as irnet
import tflite_export
import zoo
from tflite_export.benchmarking import Candidate, measure_latency
from tflite_export.conversion import convert
from tflite_export.export_files import ExportFiles
from tflite_export.float_twin import float_twin
from tflite_export.report_page import render_page
from tflite_export.rewrites import in_float32

__all__ = ["NETWORKS", "ExportedNetwork", "measure_exported_network"]

_CALIBRATION_IMAGES = 16
_LATENCY_ROUNDS = 25


@dataclass(frozen=True)
class ExportedNetwork:
    """An export beside what others make of the same network.

    # Attributes
        seconds: Export with verification and report, without latencies, in float.
        peak_bytes: Memory of that, at most, of exporter and converter together.
        int8_seconds: Export in int8 with verification, calibration included.
        bytes: Of the files, by name: "float", "lce" (its converter alone), "plain" and
            "int8", both ours.
        milliseconds: Per image, one thread, by the same names, the median; binary ones
            with the indirect kernel, and XNNPACK for the rest as the float one.
        fastest_milliseconds: The same, the fastest run: what others on the machine
            disturb the least.
        binary: Binary convolutions in the file, and those promised.
    """

    seconds: float
    peak_bytes: int
    int8_seconds: float
    bytes: dict[str, int]
    milliseconds: dict[str, float]
    fastest_milliseconds: dict[str, float]
    binary: tuple[int, int]


def _dense_network() -> tf.keras.Model:
    """Hidden binary dense layers, as in the classifiers of older networks."""
    inputs = tf.keras.Input((8, 8, 64))
    x = tf.keras.layers.Flatten()(inputs)
    for name, units in (("hidden1", 1024), ("hidden2", 1024)):
        x = irnet.layers.QuantDense(units, quantizer="irnet", name=name)(x)
        x = tf.keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    outputs = tf.keras.layers.Dense(10, name="logits")(x)
    return tf.keras.Model(inputs, outputs, name="dense")


def _mobile_network() -> tf.keras.Model:
    model = tf.keras.applications.MobileNet(weights=None)
    return irnet.binarize(model, method="dirnet", shortcuts="bireal")


NETWORKS: dict[str, Callable[[], tf.keras.Model]] = {
    "ResNet-18": lambda: zoo.ResNet18("irnet", pad_values=1.0),
    "ResNet-34": lambda: zoo.ResNet34("irnet", pad_values=1.0),
    "VGG-Small": lambda: zoo.VGGSmall("irnet", pad_values=1.0),
    "ResNet-20": lambda: zoo.ResNet20("irnet", pad_values=1.0),
    "MobileNet, binarized": _mobile_network,
    "binary dense": _dense_network,
}
"""Networks to measure, with initial weights, by name."""


def _exported(
    model: tf.keras.Model, images: np.ndarray | None
) -> tuple[tflite_export.ExportResult, float]:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        result = tflite_export.export(
            model, path, calibration_data=images, benchmark=False
        )
        ExportFiles(path).write_reports(result.report, render_page(result.report))
    return result, time.perf_counter() - start


def _measure(name: str) -> ExportedNetwork:
    import larq_compute_engine as lce

    model = NETWORKS[name]()
    shape = (_CALIBRATION_IMAGES, *model.input_shape[1:])
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    plain, seconds = _exported(model, None)
    # at most: the two need not peak together
    peak = sum(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    int8, int8_seconds = _exported(model, images)
    contents = {
        "float": convert(float_twin(in_float32(model)), converter="tflite"),
        "lce": lce.convert_keras_model(model),
        "plain": plain.flatbuffer,
        "int8": int8.flatbuffer,
    }
    options = {"use_indirect_bgemm": True, "use_xnnpack": True}
    candidates = {key: Candidate(content, options) for key, content in contents.items()}
    latencies = measure_latency(candidates, rounds=_LATENCY_ROUNDS)
    layers = plain.report.binary_layers
    return ExportedNetwork(
        seconds=seconds,
        peak_bytes=1024 * peak,  # Linux counts kibibytes
        int8_seconds=int8_seconds,
        bytes={key: len(content) for key, content in contents.items()},
        milliseconds={one.name: one.median_ms for one in latencies},
        fastest_milliseconds={one.name: one.fastest_ms for one in latencies},
        binary=(sum(bool(one.operator) for one in layers), len(layers)),
    )


def measure_exported_network(name: str) -> ExportedNetwork:
    """Exports one of `NETWORKS`, and measures it beside others.

    # Raises
        subprocess.CalledProcessError: if its process fails.
    """
    command = [sys.executable, "-m", "benchmarks.exported_networks", name]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return ExportedNetwork(**json.loads(output.splitlines()[-1]))


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(_measure(sys.argv[1]))))
