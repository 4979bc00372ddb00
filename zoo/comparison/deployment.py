"""What the networks of a comparison are once exported: size and latency.

The one place of `zoo` that exports: it needs `larq-irnet[export]`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import tflite_export
from tflite_export.benchmarking import Candidate, Latency, measure_latency
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.interpreting import FAST_KERNEL, KERNELS
from zoo.comparison.measured import Deployed
from zoo.evaluation import dataset_of
from zoo.workdir import Workdir

__all__ = ["export_run", "measure_deployed"]

_SAMPLES = 64  # validation images to verify an export with
_XNNPACK = {"use_xnnpack": True}


def export_run(folder: Path, *, data_dir: str | None = None) -> Path:
    """Exports a finished run into its folder.

    # Arguments
        folder: Of the run.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.

    # Returns
        The .tflite, verified with validation images.

    # Raises
        ExportError: if it cannot be exported as it is.
        ImportError: if larq-compute-engine is not installed.
    """
    path, run = folder / "compared.tflite", Workdir(folder)
    samples = dataset_of(run.config(), data_dir).arrays("validation", _SAMPLES)
    tflite_export.export(
        run.model(),
        path,
        samples=samples.images,
        labels=samples.labels,
        benchmark=False,
    )
    return path


def _candidates(content: bytes) -> Iterator[tuple[str, Candidate]]:
    """A model with each kernel that may be its fastest on this machine."""
    operators = {operator.name for operator in Flatbuffer(content).operators}
    is_binary = "LceBconv2d" in operators
    options = KERNELS[FAST_KERNEL] if is_binary else {}
    kernel = f"LCE {FAST_KERNEL} kernel" if is_binary else "TFLite"
    yield kernel, Candidate(content, options)
    yield f"{kernel}, XNNPACK", Candidate(content, {**options, **_XNNPACK})


def measure_deployed(models: Mapping[str, Path]) -> dict[str, Deployed]:
    """Measures exported models in turns in this process.

    # Arguments
        models: The .tflite files, by name.
    """
    contents = {name: path.read_bytes() for name, path in models.items()}
    candidates = {
        f"{name}\n{kernel}": candidate
        for name, content in contents.items()
        for kernel, candidate in _candidates(content)
    }
    fastest: dict[str, tuple[str, Latency]] = {}
    for latency in measure_latency(candidates):
        name, _, kernel = latency.name.partition("\n")
        if name not in fastest or latency.median_ms < fastest[name][1].median_ms:
            fastest[name] = kernel, latency
    return {
        name: Deployed(
            tflite_bytes=latency.model_bytes,
            latency_ms=latency.median_ms,
            kernel=kernel,
        )
        for name, (kernel, latency) in fastest.items()
    }
