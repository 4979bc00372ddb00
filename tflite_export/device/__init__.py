"""Measures models on an Android phone or a board with 64-bit ARM Linux.

Everything goes through `adb` or `ssh` and the benchmark tool of Larq Compute Engine,
which is a file of its release. `tflite_export.deploy` is the command line.
"""

from tflite_export.device.benchmark_binary import BenchmarkBinary, check_binary
from tflite_export.device.device_error import DeviceError, RunError
from tflite_export.device.device_page import render_device_page
from tflite_export.device.device_report import DeviceReport
from tflite_export.device.dry_run import dry_run
from tflite_export.device.found_device import FoundDevice, find_device
from tflite_export.device.job import Job
from tflite_export.device.measured_models import MeasuredModel
from tflite_export.device.measurement import measure
from tflite_export.device.runs import Settings
from tflite_export.device.target import Target, parse_target

__all__ = [
    "BenchmarkBinary",
    "DeviceError",
    "DeviceReport",
    "FoundDevice",
    "Job",
    "MeasuredModel",
    "RunError",
    "Settings",
    "Target",
    "check_binary",
    "dry_run",
    "find_device",
    "measure",
    "parse_target",
    "render_device_page",
]
