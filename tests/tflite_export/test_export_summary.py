"""What an export prints."""

import dataclasses
import io

import rich.console

from tflite_export.export_summary import models_table
from tflite_export.report_page import TrainingRecord


def test_figures_are_whole_on_a_narrow_terminal(exported_residual):
    report = exported_residual.report
    twin, *_ = report.twins
    name = "without int8, LCE indirect kernel, XNNPACK"
    long = dataclasses.replace(twin, name=name, model_bytes=44_560_892)
    report = dataclasses.replace(report, twins=(*report.twins, long))
    output = io.StringIO()
    console = rich.console.Console(file=output, width=80)
    record = TrainingRecord(label="IR-Net", accuracies={"Full precision": 0.9625})
    console.print(models_table(report, record))
    printed = output.getvalue()
    assert "…" not in printed
    assert all(text in printed for text in ("test accuracy %", "96.25", "44,560,892"))
    rows = (line.split("│") for line in printed.splitlines() if "│" in line)
    assert f"{name}, .tflite" in " ".join(row[1].strip() for row in rows)
