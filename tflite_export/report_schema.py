"""The JSON Schema of report.json: `python -m tflite_export.report_schema`."""

import json
from typing import Any

from tflite_export.dataclass_schema import dataclass_schema
from tflite_export.report import Report

__all__ = ["report_schema"]


def report_schema() -> dict[str, Any]:
    """The schema of `Report.to_json`, draft 2020-12."""
    return dataclass_schema(Report, "Export report of larq-irnet")


if __name__ == "__main__":
    print(json.dumps(report_schema(), indent=2))
