"""A deployment from files or a run to a written report."""

import json
import os
import shlex
import shutil
import time
from pathlib import Path

import pytest

import zoo
import zoo.workdir
from tests.tflite_export.device.test_measuring import ONE_RUN
from tests.tflite_export.networks import plain_network
from tests.tflite_export.tiny_flatbuffer import as_bytes, tiny_model
from tflite_export.deployed_files import DeployedFiles
from tflite_export.deployed_run import DeployedRun
from tflite_export.deploying import (
    Deployment,
    check_report,
    deploy,
    planned_commands,
)
from tflite_export.device import DeviceError, Target
from tflite_export.twins import FLOAT_TWIN

PHONE, BOARD = Target("android"), Target("linux", "board", "pi")


@pytest.fixture
def run_folder(tmp_path):
    """The folder of a run whose model adds constants."""
    workdir = zoo.workdir.Workdir(tmp_path / "run")
    workdir.create(zoo.recipes.get("irnet_resnet20_digits").config)
    (workdir.path / "model.tflite").write_bytes(as_bytes(tiny_model()))
    return workdir.path


@pytest.fixture
def of_files(files, tmp_path):
    """A deployment of files to a phone, changed as a test needs it."""

    def make(**changes):
        options = {
            "models": DeployedFiles(
                files / "binary.tflite", int8=files / "int8.tflite"
            ),
            "target": PHONE,
            "settings": ONE_RUN,
            "benchmark_binary": files / "lce_benchmark_model_android_arm64",
            "output": tmp_path,
        }
        return Deployment(**{**options, **changes})

    return make


def test_a_run_is_measured(phone, files, run_folder, monkeypatch):
    (run_folder / "float_twin.tflite").write_bytes(as_bytes(tiny_model()))
    monkeypatch.chdir(files)  # where the benchmark tool lies by the name of its release
    lines: list[str] = []
    models = DeployedRun(run_folder, random_images=True)
    report = deploy(Deployment(models, PHONE, settings=ONE_RUN), progress=lines.append)
    check_report(report)
    assert lines[0].startswith("note: no checksum is known for lce_benchmark_model_and")
    assert lines[1] == "device: Google Pixel 4, Android 13 (API 33)"
    assert lines[-1] == f"report: {run_folder / 'device_report.html'}"
    written = json.loads((run_folder / "device_report.json").read_text("utf-8"))
    assert [model["name"] for model in written["models"]] == ["float twin", "binary"]
    assert written["title"] == "ResNet20, IR-Net, on digits"
    assert written["samples"] == "random images"
    assert written["tool"]["is_checked"] is False
    page = (run_folder / "device_report.html").read_text("utf-8")
    assert "IR-Net, on digits" in page
    assert "no checksum was given" in page
    assert phone.left == []
    assert not list(run_folder.glob(".partial*"))


def test_wrong_outputs_are_an_error_with_a_report(board, of_files, files, tmp_path):
    board.set(benchmark="wrong")
    tool = files / "lce_benchmark_model_aarch64"
    report = deploy(of_files(target=BOARD, benchmark_binary=tool))
    with pytest.raises(DeviceError, match="the outputs of binary, int8 differ"):
        check_report(report)
    written = json.loads((tmp_path / "device_report.json").read_text("utf-8"))
    assert written["is_right"] is False
    assert board.left == []


def test_a_lost_device_leaves_a_report(phone, of_files, tmp_path):
    phone.set(lost_at=11)
    report = deploy(of_files())
    with pytest.raises(DeviceError, match="it is offline.*The report has what was"):
        check_report(report)
    written = json.loads((tmp_path / "device_report.json").read_text("utf-8"))
    assert written["is_complete"] is False
    assert len(written["latencies"]) == 2
    assert "latency of binary, 1 thread, XNNPACK" in written["missing"]


class _NotYet(DeployedRun):
    """A run with models to make, which is noted and not done."""

    def prepare(self):
        raise AssertionError("the device comes first")


def test_the_device_is_looked_for_before_anything_is_converted(
    phone, files, run_folder
):
    phone.set(devices=[])
    tool = files / "lce_benchmark_model_android_arm64"
    models = _NotYet(run_folder, int8=True, random_images=True)
    start = time.perf_counter()
    with pytest.raises(DeviceError, match="found none"):
        deploy(Deployment(models, PHONE, settings=ONE_RUN, benchmark_binary=tool))
    assert time.perf_counter() - start < 2


@pytest.fixture(scope="module")
def network_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "model.keras"
    plain_network().save(path)
    return path


@pytest.fixture
def trained_run(run_folder, network_file):
    """The same with a network to make other models of."""
    shutil.copy(network_file, run_folder / "model.keras")
    os.utime(run_folder / "model.keras", (1, 1))
    return run_folder


def test_the_float_twin_is_converted_once(trained_run, monkeypatch):
    made = []

    def convert_twins(model):
        made.append([layer.name for layer in model.layers])
        return {FLOAT_TWIN: as_bytes(tiny_model())}

    monkeypatch.setattr("tflite_export.deployed_run.convert_twins", convert_twins)
    run = DeployedRun(trained_run)
    twin, binary = run.models()
    assert (twin.name, binary.name) == ("float twin", "binary")
    assert not twin.path.exists()
    run.prepare()
    run.prepare()
    assert made == [[layer.name for layer in plain_network().layers]]
    os.utime(twin.path, (0, 0))  # of older weights
    run.prepare()
    assert len(made) == 2
    assert twin.path.stat().st_mtime > 0


def test_a_model_in_int8_is_exported_on_demand(trained_run, monkeypatch):
    asked = []

    def export(model, path, **options):
        asked.append((path.name, len(options["calibration_data"])))
        path.write_bytes(as_bytes(tiny_model()))

    monkeypatch.setattr("tflite_export.deployed_run.export", export)
    run = DeployedRun(trained_run, float_twin=False, int8=True, calibration_samples=3)
    run.prepare()
    assert asked == [("model_int8.tflite", 3)]
    kept = DeployedRun(trained_run, float_twin=False)
    assert [model.name for model in kept.models()] == ["binary", "int8"]


def test_outputs_are_compared_on_test_images(trained_run):
    samples = DeployedRun(trained_run).samples(2)
    assert samples.kind == "test images"
    assert samples.arrays[0].shape == (2, 8, 8, 1)


def test_a_dry_run_runs_nothing(phone, run_folder):
    before = sorted(run_folder.iterdir())
    commands = list(planned_commands(Deployment(DeployedRun(run_folder), PHONE)))
    assert commands[0] == ["adb", "devices", "-l"]
    (pushed,) = [command for command in commands if "push" in command]
    assert any("float_twin.tflite" in word for word in pushed)  # not yet converted
    assert any("--use_xnnpack=true" in command[-1] for command in commands)
    assert "rm -rf /data/local/tmp/irnet-" in commands[-2][-1]
    assert all(shlex.join(command).startswith("adb ") for command in commands)
    assert phone.commands == []
    assert sorted(run_folder.iterdir()) == before


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"target": BOARD, "serial": "1"}, "Expected --serial with --target=android"),
        ({"remote_folder": "x y"}, "--remote_folder to be an absolute path"),
        ({"output": Path("none")}, "--output to be a folder, found none"),
        (
            {"benchmark_binary": Path("none")},
            "found no file none. The file is lce_bench",
        ),
        (
            {"benchmark_binary": Path("lce_benchmark_model_aarch64")},
            "got one for Linux with",
        ),
        ({"sha256": "0" * 64}, "to have SHA-256 0000"),
        ({"models": DeployedFiles(Path("text.tflite"))}, "Expected a .tflite file"),
        (
            {"models": DeployedFiles(Path("none.tflite"))},
            "binary model as a .tflite, found",
        ),
        (
            {
                "models": DeployedFiles(
                    Path("binary.tflite"), float_twin=Path("none.tflite")
                )
            },
            "the float twin model as a .tflite, found no file",
        ),
        ({"models": DeployedRun(Path("none"))}, "Expected a training run in"),
        (
            {"models": DeployedRun(Path("untrained"))},
            "found no model.keras. Train first",
        ),
        (
            {"models": DeployedRun(Path("trained"))},
            "found no model.tflite. Export it first",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_mistakes_are_seen_before_the_device_is_looked_for(
    changes, words, phone, of_files, files, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("binary.tflite", "lce_benchmark_model_aarch64"):
        (tmp_path / name).write_bytes((files / name).read_bytes())
    (tmp_path / "text.tflite").write_text("no model")
    untrained = zoo.workdir.Workdir(tmp_path / "untrained")
    untrained.create(zoo.recipes.get("irnet_resnet20_digits").config)
    zoo.workdir.Workdir(tmp_path / "trained").create(untrained.config())
    (tmp_path / "trained/model.keras").write_bytes(b"")
    with pytest.raises(ValueError) as caught:
        deploy(of_files(**changes))
    assert words in str(caught.value)
    assert phone.commands == []
