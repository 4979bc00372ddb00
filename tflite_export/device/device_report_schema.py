"""The JSON Schema of device_report.json.

Printed by `python -m tflite_export.device.device_report_schema`.
"""

import json
from typing import Any

from tflite_export.dataclass_schema import dataclass_schema
from tflite_export.device.device_report import COMPUTED, DeviceReport

__all__ = ["device_report_schema"]


def device_report_schema() -> dict[str, Any]:
    """The schema of `DeviceReport.to_json`, draft 2020-12."""
    title = "Device report of larq-irnet"
    return dataclass_schema(DeviceReport, title, computed=COMPUTED)


if __name__ == "__main__":
    print(json.dumps(device_report_schema(), indent=2))
