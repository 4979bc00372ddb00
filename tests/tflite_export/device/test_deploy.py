"""The command line, as a user runs it."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

from tests.tflite_export.device.conftest import plug_in

QUICK = ("--rounds=1", "--max_threads=1", "--sustained_seconds=0", "--samples=1")


SEVERAL = """
import sys
from absl import flags
from tflite_export import deploy

for arguments in {!r}:
    for flag in flags.FLAGS.get_flags_for_module(deploy):
        flag.unparse()
    flags.FLAGS(arguments)
    try:
        deploy.main()
    except deploy.DeviceError as error:
        print(f"error: {{error}}")
"""


def _flags(files, folder):
    return [
        *("--target=android", *QUICK),
        f"--model={files / 'binary.tflite'}",
        f"--benchmark_binary={files / 'lce_benchmark_model_android_arm64'}",
        f"--output={folder}",
    ]


def _started(words, device):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "STAND_IN_DEVICE": str(device.folder),
    }
    return subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_one_command_measures_and_can_be_interrupted(
    files, tmp_path_factory, monkeypatch
):
    """A start takes TensorFlow seconds, so two at a time, each with a phone."""
    here, there = (tmp_path_factory.mktemp(name) for name in ("here", "there"))
    phone = plug_in(here, "android", monkeypatch)
    hanging = plug_in(there, "android", monkeypatch)
    hanging.set(benchmark="hang")
    words = ["deploy", *_flags(files, here)]
    several = [[*words, "--dry_run"], [*words, "--serial=4E5F"], words]
    measuring = _started(["-c", SEVERAL.format(several)], phone)
    module = ["-m", "tflite_export.deploy"]
    running = _started([*module, *_flags(files, there)], hanging)

    for _ in range(1200):
        if any((path / "running.pid").exists() for path in hanging.left):
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors.strip().splitlines()[-1] == "interrupted"
    assert hanging.left == []
    assert not (there / "device_report.json").exists()

    printed, errors = measuring.communicate(timeout=120)
    assert measuring.returncode == 0, errors
    planned, refused, measured = re.split("(?<=\n)(?=note: no check)", printed)
    assert planned.splitlines()[0] == "adb devices -l"
    assert "--graph=binary.tflite" in " ".join(shlex.split(planned))
    assert "error: Expected the device '4E5F', found: 0A1B2C3D" in refused
    assert "One image on Google Pixel 4" in measured
    written = json.loads((here / "device_report.json").read_text("utf-8"))
    assert written["is_complete"] is True
    assert phone.left == []
