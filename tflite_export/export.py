"""Exports a finished run: `python -m tflite_export.export --workdir=runs/demo/irnet`.

Writes model.tflite, report.json, report.html and binary_weights.npz into the folder of
the run. The export is verified with the first test images of the run's dataset, or with
random ones. With `--lint_only` it prints what Larq Compute Engine would make of the
run, and converts nothing.

`--model=net.keras --output=net.tflite` exports a file of Keras 2 instead (.h5, .keras
or the folder of a SavedModel), verified with random images; the names of what else is
written begin with `net.`.
"""

import sys
import types
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rich.console
import tensorflow as tf
from absl import flags

from tflite_export.calibration import RULES
from tflite_export.export_files import ExportFiles
from tflite_export.export_summary import findings_table, models_table, summary
from tflite_export.exporting import as_converted, export
from tflite_export.findings import SEVERITIES, ExportError
from tflite_export.lint import lint
from tflite_export.model_files import read_model_file
from tflite_export.report_page import TrainingRecord, render_page
from tflite_export.training_records import training_record
from zoo.command_line import run_command
from zoo.evaluation import dataset_of
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir

FLAGS = flags.FLAGS

flags.DEFINE_string("workdir", None, "Folder of a finished run.")
flags.DEFINE_string(
    "model", None, "Instead of a run: an .h5 or .keras file, or a SavedModel."
)
flags.DEFINE_string("output", None, "The .tflite to make of --model.")
flags.DEFINE_list(
    "compare", [], "Folders of finished runs to show accuracy and dead weights of."
)
flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_integer(
    "samples", 400, "Test images to verify with, the first ones.", lower_bound=1
)
flags.DEFINE_bool(
    "random_images", False, "Verify with noise, where the dataset is not at hand."
)
flags.DEFINE_bool("strict", True, "Fail if a binary layer would be float or wrong.")
flags.DEFINE_bool("int8", False, "Compute in int8 what is not binary.")
flags.DEFINE_enum(
    "calibration", "min_max", RULES, "How ranges of int8 activations are measured."
)
flags.DEFINE_integer(
    "calibration_samples",
    200,
    "Training images to measure them on, the first ones.",
    lower_bound=1,
)
flags.DEFINE_bool("int8_edges", False, "Inputs and outputs in int8 as well.")
flags.DEFINE_bool("float16", False, "Large float constants in half precision.")
flags.DEFINE_bool(
    "pack_weights", True, "Binary weights of layers with float inputs as bits."
)
flags.DEFINE_bool(
    "lint_only",
    False,
    "Print findings and leave, with code 1 if one is an error; nothing is written.",
)
flags.DEFINE_bool("benchmark", True, "Build and measure the float twin as well.")
flags.DEFINE_float(
    "timeout", 600.0, "Seconds that each conversion may take.", lower_bound=1.0
)
flags.DEFINE_float(
    "memory_limit",
    None,
    "GiB of address space that each conversion may take, on Linux; by default the "
    "memory of this machine, at least 16.",
    lower_bound=0.001,
)
flags.mark_flags_as_mutual_exclusive(["workdir", "model"], required=True)
flags.register_multi_flags_validator(
    ["model", "output", "lint_only"],
    lambda values: (
        values["output"] is None
        if values["model"] is None
        else values["output"] is not None or values["lint_only"]
    ),
    message="--model and --output go together, but for --lint_only.",
)
flags.register_multi_flags_validator(
    ["model", "compare"],
    lambda values: values["model"] is None or not values["compare"],
    message="--compare goes with --workdir.",
)


def _samples(config: TrainConfig) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Images to verify with, normalised, and their classes; none for random ones."""
    if FLAGS.random_images:
        return None, None
    dataset = dataset_of(config, FLAGS.data_dir)
    dataset.check_prepared()
    return dataset.arrays("test", limit=FLAGS.samples)


def _calibration_images(config: TrainConfig) -> np.ndarray | None:
    """Training images, normalised and not augmented; none for an export in float."""
    if not FLAGS.int8:
        return None
    dataset = dataset_of(config, FLAGS.data_dir)
    dataset.check_prepared()
    images, _ = dataset.arrays("train", limit=FLAGS.calibration_samples)
    return images


@dataclass(frozen=True)
class _Subject:
    """What is exported, to where, and verified with what.

    # Attributes
        model: The Keras model.
        record: Of its training.
        images: To verify with, normalised; `None` for random ones.
        labels: Their classes.
        calibration_images: To measure ranges of int8 activations on; `None` for float.
        files: What to write.
    """

    model: tf.keras.Model
    record: TrainingRecord
    images: np.ndarray | None
    labels: np.ndarray | None
    calibration_images: np.ndarray | None
    files: ExportFiles


def _lint_only(model: tf.keras.Model) -> None:
    findings = lint(as_converted(model)[0])
    if findings:
        rich.console.Console().print(findings_table(findings))
    counts = Counter(one.severity for one in findings)
    print(", ".join(f"{severity}: {counts[severity]}" for severity in SEVERITIES))
    if counts["error"]:
        sys.exit(1)


def _run() -> _Subject:
    workdir = Workdir(FLAGS.workdir)
    compared = [Workdir(path) for path in FLAGS.compare]
    images, labels = _samples(workdir.config())
    model = workdir.model()
    record = training_record(workdir, model, compared)
    files = ExportFiles(workdir.path / "model.tflite")
    calibration_images = _calibration_images(workdir.config())
    return _Subject(model, record, images, labels, calibration_images, files)


def _file() -> _Subject:
    if FLAGS.int8:
        raise ValueError(
            "Expected --workdir with --int8, got --model: ranges are measured on the "
            "dataset of a run. From Python, give calibration_data."
        )
    model = _model()
    path = Path(FLAGS.output)
    if path.exists() and path.samefile(FLAGS.model):
        raise ValueError(
            f"Expected another file for --output than for --model, got {path} for both."
        )
    record = TrainingRecord(title=f"{model.name}, from {FLAGS.model}", label=model.name)
    files = ExportFiles(path, prefix=f"{path.stem}.")
    return _Subject(model, record, None, None, None, files)


def _model() -> tf.keras.Model:
    if FLAGS.model is None:
        return Workdir(FLAGS.workdir).model()
    return read_model_file(FLAGS.model, memory_limit=_memory_limit())


def _memory_limit() -> int | None:
    """In bytes."""
    return None if FLAGS.memory_limit is None else int(FLAGS.memory_limit * 2**30)


def main() -> None:
    if FLAGS.lint_only:
        _lint_only(_model())
        return
    subject = _run() if FLAGS.model is None else _file()
    result = export(
        subject.model,
        subject.files.model,
        strict=FLAGS.strict,
        samples=subject.images,
        labels=subject.labels,
        calibration_data=subject.calibration_images,
        calibration=FLAGS.calibration,
        int8_edges=FLAGS.int8_edges,
        float16=FLAGS.float16,
        pack_weights=FLAGS.pack_weights,
        benchmark=FLAGS.benchmark,
        timeout=FLAGS.timeout,
        memory_limit=_memory_limit(),
    )
    page = render_page(result.report, subject.record)
    subject.files.write_reports(result.report, page)
    weights = subject.files.write_weights(subject.model)
    rich.console.Console().print(models_table(result.report, subject.record))
    print(summary(result.report, subject.model))
    print(f"model: {subject.files.model}\nreport: {subject.files.page}\n{weights}")


def run() -> None:
    """Entry point of `irnet-export`."""
    run_command(main, errors=[ExportError])


class _CallableModule(types.ModuleType):
    """Lets `tflite_export.export(...)` work also after this module was imported.

    The function and this command line have the same name, and importing a submodule
    puts it in the place of what its package calls by that name.
    """

    __call__ = staticmethod(export)


sys.modules[__name__].__class__ = _CallableModule


if __name__ == "__main__":
    run()
