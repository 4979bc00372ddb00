"""What a measurement on a device tells on the terminal."""

import rich.table

from tflite_export.device import DeviceReport

__all__ = ["latencies_table"]


def latencies_table(report: DeviceReport) -> rich.table.Table:
    """Times by model, threads and XNNPACK."""
    table = rich.table.Table(title=f"One image on {report.device.model}")
    table.add_column("model", overflow="fold")
    for column in ("threads", "XNNPACK", "ms", "fastest ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in report.latencies:
        table.add_row(
            one.model,
            str(one.threads),
            "on" if one.xnnpack else "off",
            f"{one.milliseconds:.3f}",
            f"{one.fastest_ms:.3f}",
        )
    return table
