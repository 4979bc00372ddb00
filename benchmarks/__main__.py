"""Prints all benchmarks: `python -m benchmarks`."""

import rich.console
import rich.table

from benchmarks.export_cost import ExportCost, measure_export
from benchmarks.training_step import METHODS, measure_training_steps


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


def _inference_table(cost: ExportCost) -> rich.table.Table:
    table = rich.table.Table(title="One image, ResNet-20, 32x32x3, one thread")
    for column in ("model", "ms", "to float", "bytes", "to float"):
        table.add_column(column, justify="right")
    twin = cost.report.latencies[-1]
    for one in cost.report.latencies:
        table.add_row(
            one.name,
            f"{one.median_ms:.3f}",
            f"{one.median_ms / twin.median_ms:.3f}",
            f"{one.model_bytes:,}",
            f"{one.model_bytes / twin.model_bytes:.3f}",
        )
    return table


def main() -> None:
    console = rich.console.Console()
    console.print(_training_table(measure_training_steps()))
    cost = measure_export()
    console.print(_inference_table(cost))
    console.print(
        f"conversion {cost.conversion_seconds:.1f} s, whole export with verification "
        f"and benchmark {cost.export_seconds:.1f} s, on {cost.report.machine}"
    )


if __name__ == "__main__":
    main()
