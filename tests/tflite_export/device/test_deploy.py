"""The command line, as a user runs it."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

import zoo
import zoo.workdir
from tests.tflite_export.tiny_flatbuffer import as_bytes, tiny_model

QUICK = ("--rounds=1", "--max_threads=1", "--sustained_seconds=0", "--samples=1")


def run(*arguments):
    command = [sys.executable, "-m", "tflite_export.deploy", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def last_line(process):
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    return process.stderr.strip().splitlines()[-1]


@pytest.fixture
def exported_run(tmp_path):
    """The folder of a run whose model adds constants."""
    workdir = zoo.workdir.Workdir(tmp_path / "run")
    workdir.create(zoo.recipes.get("irnet_resnet20_digits").config)
    (workdir.path / "model.tflite").write_bytes(as_bytes(tiny_model()))
    return workdir.path


def test_one_command_measures_a_run(phone, files, exported_run):
    (exported_run / "float_twin.tflite").write_bytes(as_bytes(tiny_model()))
    tool = files / "lce_benchmark_model_android_arm64"
    process = run(
        f"--workdir={exported_run}",
        "--target=android",
        f"--benchmark_binary={tool}",
        "--unchecked_binary",
        "--random_images",
        *QUICK,
    )
    assert process.returncode == 0, process.stderr
    assert "is unchecked; its SHA-256 is" in process.stdout
    assert "device: Google Pixel 4, Android 13 (API 33)" in process.stdout
    report = json.loads((exported_run / "device_report.json").read_text("utf-8"))
    assert [model["name"] for model in report["models"]] == ["float twin", "binary"]
    assert report["samples"] == "random images"
    assert report["tool"]["is_checked"] is False
    page = (exported_run / "device_report.html").read_text("utf-8")
    assert "IR-Net, on digits" in page
    assert phone.left == []
    assert not list(exported_run.glob(".partial*"))


def test_wrong_outputs_are_an_error_with_a_report(board, files, tmp_path):
    board.set(benchmark="wrong")
    process = run(
        f"--model={files / 'binary.tflite'}",
        f"--int8_model={files / 'int8.tflite'}",
        "--target=ssh://pi@board",
        f"--benchmark_binary={files / 'lce_benchmark_model_aarch64'}",
        "--unchecked_binary",
        f"--output={tmp_path}",
        *QUICK,
    )
    line = last_line(process)
    assert line.startswith("error: Expected the device to compute what this machine")
    assert "the outputs of binary, int8 differ" in line
    assert (
        json.loads((tmp_path / "device_report.json").read_text())["is_right"] is False
    )
    assert board.left == []


def test_ctrl_c(phone, files, tmp_path):
    phone.set(benchmark="hang")
    command = [sys.executable, "-m", "tflite_export.deploy", "--target=android"]
    command += [f"--model={files / 'binary.tflite'}", "--unchecked_binary", *QUICK]
    tool = files / "lce_benchmark_model_android_arm64"
    command += [f"--benchmark_binary={tool}", f"--output={tmp_path}"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(1200):
        if any((path / "running.pid").exists() for path in phone.left):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "interrupted"
    assert phone.left == []
    assert not (tmp_path / "device_report.json").exists()


def test_a_dry_run_runs_nothing(phone, files, exported_run):
    before = sorted(exported_run.iterdir())
    process = run(f"--workdir={exported_run}", "--target=android", "--dry_run", *QUICK)
    assert process.returncode == 0, process.stderr
    programs = [line for line in process.stdout.splitlines() if line[:4] == "adb "]
    assert shlex.split(programs[0]) == ["adb", "devices", "-l"]
    commands = shlex.split(process.stdout)
    pushed = next(line for line in programs if "SERIAL push" in line)
    assert "float_twin.tflite" in pushed  # which a measurement would convert
    assert any("--use_xnnpack=true" in word for word in commands)
    assert "rm -rf /data/local/tmp/irnet-" in process.stdout
    assert phone.commands == []
    assert sorted(exported_run.iterdir()) == before


def test_mistakes(phone, files, exported_run, tmp_path):
    tool = f"--benchmark_binary={files / 'lce_benchmark_model_android_arm64'}"
    other = f"--benchmark_binary={files / 'lce_benchmark_model_aarch64'}"
    (tmp_path / "binary.tflite").write_bytes(as_bytes(tiny_model()))
    model = "--model=binary.tflite"
    untrained = tmp_path / "untrained"
    zoo.workdir.Workdir(untrained).create(
        zoo.recipes.get("irnet_resnet20_digits").config
    )
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained/model.keras").write_bytes(b"")
    (tmp_path / "text.tflite").write_text("no model")
    config = (untrained / "config.json").read_text()
    (tmp_path / "trained/config.json").write_text(config)
    android = ("--target=android", tool, "--unchecked_binary")
    cases = {
        (model, "--target=phone"): "Expected --target=android or --target=ssh://",
        (model, "--target=ssh://b", "--serial=1"): "--serial with --target=android",
        (model, "--target=android"): "found no file lce_benchmark_model_android_arm64",
        (model, "--target=android", tool): "or --unchecked_binary to run whatever",
        (model, "--target=android", other): "got one for Linux with glibc",
        (model, "--target=android", "--remote_folder=x y"): "an absolute path",
        (model, *android, "--output=/none"): "--output to be a folder, found none",
        (f"--workdir={untrained}", *android): "found no model.keras. Train first",
        (f"--workdir={tmp_path}/trained", *android): "found no model.tflite. Export it",
        (f"--model={tmp_path}/text.tflite", *android): "Expected a .tflite file",
        (f"--model={tmp_path}/no.tflite", *android): "found no file",
        (model, "--float_model=no.tflite", *android): "the float twin model as a",
        (f"--workdir={tmp_path}/none", *android): "Expected a training run in",
    }
    script = (  # one process for all
        "import sys\nimport tflite_export.deploy as deploy\n"
        "from absl import flags\n"
        f"for arguments in {[*cases]!r}:\n"
        "    flags.FLAGS.unparse_flags()\n"
        "    for flag in flags.FLAGS.get_flags_for_module(deploy):\n"
        "        flag.unparse()\n"
        "    flags.FLAGS(['deploy', *arguments])\n"
        "    try:\n"
        "        deploy.main()\n"
        "    except (ValueError, deploy.DeviceError) as error:\n"
        "        print(error)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    lines = [line for line in process.stdout.splitlines() if line[:4] != "note"]
    assert len(lines) == len(cases), process.stdout + process.stderr
    for words, line in zip(cases.values(), lines):
        assert words in line
    assert phone.commands == []
