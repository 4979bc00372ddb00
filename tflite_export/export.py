"""Exports a finished run: `python -m tflite_export.export --workdir=runs/demo/irnet`.

Writes model.tflite, report.json and report.html into the folder of the run. The export
is verified with the test images of the run's dataset.
"""

from collections.abc import Sequence

import larq as lq
import numpy as np
import rich.console
import rich.table
import tensorflow as tf
from absl import flags

from larq_irnet import methods
from larq_irnet.atomic_path import atomic_path
from tflite_export.exporting import ExportResult, export
from tflite_export.findings import ExportError
from tflite_export.layer_walk import all_layers, is_binary
from tflite_export.report import Report
from tflite_export.report_page import TrainingRecord, render_page
from tflite_export.report_plots import WeightHistogram
from zoo import datasets
from zoo.command_line import run_command
from zoo.workdir import Workdir

FLAGS = flags.FLAGS

flags.DEFINE_string("workdir", None, "Folder of a finished run.")
flags.DEFINE_list("compare", [], "Folders of finished runs to show the accuracy of.")
flags.DEFINE_bool("strict", True, "Fail if a binary layer would be float or wrong.")
flags.DEFINE_bool("benchmark", True, "Build and measure the float twin as well.")
flags.DEFINE_float(
    "timeout", 600.0, "Seconds that each conversion may take.", lower_bound=1.0
)
flags.mark_flags_as_required(["workdir"])

_HISTOGRAMS = 4


def _name(workdir: Workdir) -> str:
    return methods.get(workdir.config().method).title


def _accuracies(workdirs: Sequence[Workdir]) -> dict[str, float]:
    return {_name(one): one.results()["test"]["accuracy"] for one in workdirs}


def _weights(workdir: Workdir, model: tf.keras.Model) -> list[WeightHistogram]:
    """Weights of some binary layers, spread over the depth of the network."""
    initial = tf.keras.models.clone_model(model)
    initial.load_weights(workdir.initial_weights_path)
    before = {layer.name: layer for layer in all_layers(initial)}
    binary = [layer for layer in all_layers(model) if is_binary(layer)]
    chosen = np.linspace(0, len(binary) - 1, min(_HISTOGRAMS, len(binary)))
    return [
        WeightHistogram(
            layer=layer.name,
            initial=_kernel(before[layer.name], quantized=False),
            trained=_kernel(layer, quantized=False),
            binary=_kernel(layer, quantized=True),
        )
        for layer in (binary[int(position)] for position in chosen)
    ]


def _kernel(layer: tf.keras.layers.Layer, *, quantized: bool) -> np.ndarray:
    with lq.context.quantized_scope(quantized):
        return tf.convert_to_tensor(layer.kernel).numpy().ravel()


def _record(
    workdir: Workdir, model: tf.keras.Model, compared: Sequence[Workdir]
) -> TrainingRecord:
    config = workdir.config()
    return TrainingRecord(
        title=f"{config.network}, {_name(workdir)}, on {config.dataset}: "
        f"{config.epochs} epochs, {config.optimizer}, seed {config.seed}",
        history=workdir.history(),
        accuracies=_accuracies([*compared, workdir]),
        weights=_weights(workdir, model),
    )


def _summary(result: ExportResult) -> str:
    report = result.report
    binary = sum(bool(layer.operator) for layer in report.binary_layers)
    end = report.verification.end_to_end[0]
    return (
        f"{binary} of {len(report.binary_layers)} binary layers are LceBconv2d; the "
        f".tflite agrees with Keras on {end.agreement:.2%} of "
        f"{report.verification.samples} test images."
    )


def _table(report: Report, record: TrainingRecord) -> rich.table.Table:
    table = rich.table.Table()
    table.add_column("model", no_wrap=True)
    for column in ("test accuracy %", "bytes", "ms per image"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, accuracy in record.accuracies.items():
        table.add_row(f"{name}, Keras", f"{accuracy:.2%}"[:-1], "-", "-")
    *binary, twin = report.latencies or (None,)
    fastest = min(binary, key=lambda one: one.median_ms) if binary else None
    exported = report.verification.end_to_end[0].accuracy or 0.0
    table.add_row(
        f"{list(record.accuracies)[-1]}, .tflite",
        f"{exported:.2%}"[:-1],
        f"{report.model_bytes:,}",
        "-" if fastest is None else f"{fastest.median_ms:.3f}",
    )
    if twin is not None:
        table.add_row(
            "its float twin, .tflite",
            "-",
            f"{twin.model_bytes:,}",
            f"{twin.median_ms:.3f}",
        )
    return table


def main() -> None:
    workdir = Workdir(FLAGS.workdir)
    compared = [Workdir(path) for path in FLAGS.compare]
    test = datasets.get(workdir.config().dataset).arrays("test")
    model = workdir.model()
    record = _record(workdir, model, compared)
    path = workdir.path / "model.tflite"
    result = export(
        model,
        path,
        strict=FLAGS.strict,
        samples=test.images,
        labels=test.labels,
        benchmark=FLAGS.benchmark,
        timeout=FLAGS.timeout,
    )
    page = workdir.path / "report.html"
    for target, text in (
        (workdir.path / "report.json", result.report.to_json()),
        (page, render_page(result.report, record)),
    ):
        with atomic_path(target) as partial:
            partial.write_text(text, encoding="utf-8")
    rich.console.Console().print(_table(result.report, record))
    print(_summary(result))
    print(f"model: {path}\nreport: {page}")


def run() -> None:
    """Entry point of `irnet-export`."""
    run_command(main, errors=[ExportError])


if __name__ == "__main__":
    run()
