"""Prints all benchmarks, or some: `python -m benchmarks [exports] [training] ...`."""

import sys
from collections.abc import Callable, Iterator, Sequence

import rich.console
import rich.table
from rich.console import RenderableType

import tflite_export
from benchmarks.binarized_application import measure_binarized_application
from benchmarks.export_cost import measure_export
from benchmarks.exported_networks import (
    NETWORKS,
    ExportedNetwork,
    measure_exported_network,
)
from benchmarks.input_pipeline import measure_input_pipelines
from benchmarks.monitor_cost import MonitorCost, measure_monitor
from benchmarks.torch_training_step import StepTimes, measure_torch_training_step
from benchmarks.training_step import BATCH, METHODS, measure_training_steps

_WIDTH = 150  # also where the output is piped


def _training_table(seconds: dict[str, float]) -> rich.table.Table:
    table = rich.table.Table(title="Training step, ResNet-20, 32x32x3, batch 128")
    for column in ("method", "ms", "to ste_sign", "to float"):
        table.add_column(column, justify="right")
    for method in METHODS:
        table.add_row(
            method,
            f"{1e3 * seconds[method]:.1f}",
            f"{seconds[method] / seconds['ste_sign']:.3f}",
            f"{seconds[method] / seconds['float']:.3f}",
        )
    return table


def _torch_table(times: StepTimes) -> rich.table.Table:
    table = rich.table.Table(
        title="Training step of irnet ResNet-20, 32x32x3, batch 128, two threads"
    )
    for column in ("library", "ms", "to the faster PyTorch"):
        table.add_column(column, justify="right")
    for name, seconds in (
        ("larq-irnet", times.ours),
        ("PyTorch", times.torch),
        ("PyTorch, channels last", times.torch_channels_last),
    ):
        table.add_row(
            name, f"{1e3 * seconds:.1f}", f"{seconds / times.fastest_torch:.3f}"
        )
    return table


def _pipeline_table(delivered: dict[str, float], trained: float) -> rich.table.Table:
    table = rich.table.Table(title="Training images per second, two cores")
    for column in ("what", "images per second", "to the ResNet-20 step"):
        table.add_column(column, justify="right")
    table.add_row("irnet ResNet-20, 32x32, step", f"{trained:,.0f}", "1.00")
    for name, rate in delivered.items():
        table.add_row(f"{name}, pipeline", f"{rate:,.0f}", f"{rate / trained:.2f}")
    return table


def _monitor_table(costs: dict[str, MonitorCost]) -> rich.table.Table:
    table = rich.table.Table(
        title="BinarizationMonitor, everything on, irnet ResNet-20; seconds"
    )
    some = next(iter(costs.values()))
    for column in (
        *("training images", "first step", "monitor at first", "epoch"),
        *("monitor", f"every {some.batch_epochs}th", f"every {some.cosine_epochs}th"),
        *("on average", "to the epoch"),
    ):
        table.add_column(column, justify="right")
    for name, cost in costs.items():
        seconds = (
            *(cost.first_step, cost.first, cost.epoch),
            *(cost.weights, cost.batch, cost.batch + cost.cosine, cost.per_epoch),
        )
        table.add_row(name, *(f"{one:.3f}" for one in seconds), f"{cost.share:.1%}")
    return table


def _inference_table(report: tflite_export.Report, what: str) -> rich.table.Table:
    table = rich.table.Table(title=f"One image, {what}, one thread")
    for column in ("model", "ms", "to float", "bytes", "to float"):
        table.add_column(column, justify="right")
    twin = report.twins[0]
    for one in (*report.latencies, *report.twins):
        table.add_row(
            one.name,
            f"{one.median_ms:.3f}",
            f"{one.median_ms / twin.median_ms:.3f}",
            f"{one.model_bytes:,}",
            f"{one.model_bytes / twin.model_bytes:.3f}",
        )
    return table


def _exports_table(measured: dict[str, ExportedNetwork]) -> rich.table.Table:
    table = rich.table.Table(title="Exports of whole networks, verified and reported")
    for column in (
        *("network", "LceBconv2d", "export s", "with int8 s", "peak GiB"),
        *("float bytes", "LCE alone", "ours", "int8", "float to ours", "float to int8"),
    ):
        table.add_column(column, justify="right")
    for name, one in measured.items():
        size = one.bytes
        table.add_row(
            name,
            "{} of {}".format(*one.binary),
            f"{one.seconds:.1f}",
            f"{one.int8_seconds:.1f}",
            f"{one.peak_bytes / 2**30:.2f}",
            *(f"{size[key]:,}" for key in ("float", "lce", "plain", "int8")),
            *(f"{size['float'] / size[key]:.2f}" for key in ("plain", "int8")),
        )
    return table


def _latencies_table(measured: dict[str, ExportedNetwork]) -> rich.table.Table:
    table = rich.table.Table(
        title="One image, one thread, indirect kernel, XNNPACK: ms, median (fastest)"
    )
    for column in ("network", "float", "LCE alone", "ours", "int8", "float to ours"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, one in measured.items():
        median, fastest = one.milliseconds, one.fastest_milliseconds
        table.add_row(
            name,
            *(f"{median[key]:.2f} ({fastest[key]:.2f})" for key in median),
            f"{median['float'] / median['plain']:.2f} "
            f"({fastest['float'] / fastest['plain']:.2f})",
        )
    return table


def _exports() -> Iterator[RenderableType]:
    measured = {name: measure_exported_network(name) for name in NETWORKS}
    yield _exports_table(measured)
    yield _latencies_table(measured)


def _training() -> Iterator[RenderableType]:
    seconds = measure_training_steps()
    yield _training_table(seconds)
    yield _pipeline_table(measure_input_pipelines(), BATCH / seconds["irnet"])


def _torch() -> Iterator[RenderableType]:
    yield _torch_table(measure_torch_training_step())


def _monitor() -> Iterator[RenderableType]:
    monitored = {
        "digit_scenes, 10,000 of 32x32x3": ("digit_scenes", 128),
        "digits, 1,197 of 8x8x1": ("digits", 32),
    }
    yield _monitor_table(
        {
            name: measure_monitor(dataset, batch_size=batch_size)
            for name, (dataset, batch_size) in monitored.items()
        }
    )


def _inference() -> Iterator[RenderableType]:
    cost = measure_export()
    yield _inference_table(cost.report, "ResNet-20, 32x32x3")
    yield (
        f"conversion {cost.conversion_seconds:.1f} s, whole export with verification "
        f"and benchmark {cost.export_seconds:.1f} s, on {cost.report.machine}"
    )
    application = measure_binarized_application()
    size = f"{application.name} after `binarize`, 224x224x3"
    yield _inference_table(application.report, size)
    binary = [layer.operator for layer in application.report.binary_layers]
    yield (
        f"binarize {application.binarize_seconds:.1f} s, export "
        f"{application.export_seconds:.1f} s; LceBconv2d: promised "
        f"{application.promised}, got {binary.count('LceBconv2d')}"
    )


_SECTIONS: dict[str, Callable[[], Iterator[RenderableType]]] = {
    "exports": _exports,
    "training": _training,
    "torch": _torch,
    "monitor": _monitor,
    "inference": _inference,
}


def main(names: Sequence[str]) -> None:
    unknown = set(names) - set(_SECTIONS)
    if unknown:
        sys.exit(
            f"error: Expected some of {', '.join(_SECTIONS)}, or nothing for all, got "
            f"{', '.join(sorted(unknown))}."
        )
    console = rich.console.Console(width=_WIDTH)
    for name in names or _SECTIONS:
        for shown in _SECTIONS[name]():
            console.print(shown)


if __name__ == "__main__":
    main(sys.argv[1:])
