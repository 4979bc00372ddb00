"""The whole flow against stand-in devices."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from tests.tflite_export.device.conftest import QUICK
from tflite_export.device import (
    DeviceError,
    Settings,
    Target,
    dry_run,
    measure,
    render_device_page,
)
from tflite_export.operator_latency import KindLatency, OperatorLatency, by_kind

ONE_RUN = Settings(max_threads=1, rounds=1, sustained_seconds=0.0, samples=1)


@pytest.fixture(params=["android", "linux"])
def system(request):
    return request.param


def test_everything_is_measured_and_nothing_is_left(system, use_device, job_of):
    device = use_device(system)
    lines: list[str] = []
    report = measure(*job_of(system), progress=lines.append)
    assert device.left == []
    assert report.is_right
    assert report.doubts == ()
    assert {(one.model, one.threads, one.xnnpack) for one in report.latencies} == {
        (model, threads, xnnpack)
        for model in ("float twin", "binary")
        for threads in (1, 2)
        for xnnpack in (False, True)
    }
    alone = next(one for one in report.latencies if one.model == "binary")
    assert alone.milliseconds == pytest.approx(11.096 * 1.02, rel=1e-5)
    assert alone.fastest_ms < alone.milliseconds == alone.slowest_mean_ms
    assert alone.runs == 88  # in a second
    assert [one.peak_mb for one in report.memory] == [18.5, 9.25]
    kinds = by_kind(report.operators["binary"])
    assert kinds[1] == KindLatency("LceBconv2d", 2, 4.0, kinds[1].share)
    assert kinds[1].share == pytest.approx(4.0 / 11.096)
    check = report.checks[1]
    assert (check.samples, check.identical, check.close) == (2, 2, 2)
    assert check.agreement == 1.0
    assert report.sustained is not None
    assert [block.celsius for block in report.sustained.blocks] == [41.0, 44.0, 47.0]
    assert report.sustained.final_celsius == 50.0
    assert report.sustained.threads == 2
    runs = [line for line in lines if re.match(r"\d+/", line)]
    assert len(runs) == 2 + 8 + 4 + 1
    assert "1 thread: 28.596 ms" in runs[2]


def test_models_have_their_turns(phone, job_of):
    lines: list[str] = []
    names = ("float twin", "binary", "int8")
    settings = dataclasses.replace(ONE_RUN, rounds=2)
    measure(*job_of(names=names, settings=settings), progress=lines.append)
    turns = [re.search(r"latency of (.*?),", line) for line in lines]
    assert [turn[1] for turn in turns if turn] == [*names] * 4


def test_operators_are_profiled_without_xnnpack(phone, job_of):
    measure(*job_of(settings=ONE_RUN))
    profiles = [
        command[-1] for command in phone.commands if "op_profiling" in command[-1]
    ]
    assert len(profiles) == 2
    assert all("--use_xnnpack=false" in script for script in profiles)


def test_the_report_as_json_and_as_a_page(phone, job_of):
    names = ("float twin", "binary", "int8")
    report = measure(*job_of(names=names))
    content = json.loads(report.to_json())
    assert content["schema"] == 1
    assert content["is_right"] is True
    assert content["device"]["model"] == "Google Pixel 4"
    assert content["tool"]["release"] == "v0.16.0"
    assert content["operators"]["binary"][2] == dataclasses.asdict(
        OperatorLatency("LceBconv2d", "block1/Conv2D", 2.125)
    )
    page = " ".join(render_device_page(report).split())
    assert page.count("<svg") == 4  # none with four threads, on two cores
    for words in (
        "checked: the device computes what this machine computes",
        "Google Pixel 4, Android 13 (API 33), 2 cores",
        "IR-Net, CVPR 2020",
        "QuickNetLarge",
        "here: int8",
        "1,418.94",
    ):
        assert words in page
    assert "None" not in page


def test_a_published_device_is_marked(board, job_of):
    page = render_device_page(measure(*job_of("linux", settings=ONE_RUN)))
    assert "Raspberry Pi 4B, as here" in page
    assert "Raspberry Pi 3B, as here" not in page


@pytest.mark.parametrize("samples", [0, 2])
def test_a_dry_run_prints_what_is_run(samples, system, use_device, job_of):
    device = use_device(system)
    settings = dataclasses.replace(QUICK, samples=samples)
    job, binary, arrays = job_of(system, settings=settings, serial=_serial(system))
    planned = list(dry_run(job))
    assert device.commands == []
    measure(job, binary, arrays)
    assert list(map(_general, planned)) == list(map(_general, device.commands))


def _serial(system):
    return "0A1B2C3D" if system == "android" else None


def _general(command):
    """A command without what is new each time: the folders there and here."""
    words = [re.sub(r"irnet-[0-9a-f]{16}", "irnet-x", word) for word in command]
    return [
        word if word.startswith(("/data", "/tmp/irnet")) else Path(word).name
        for word in words
        if not word.startswith("/tmp") or "irnet" in word or Path(word).suffix
    ]


def test_a_dry_run_of_a_twin_that_is_not_converted_yet(job_of):
    job, _, _ = job_of()
    missing = dataclasses.replace(job.models[0], path=Path("missing.tflite"))
    job = dataclasses.replace(job, models=[missing, job.models[1]])
    commands = list(dry_run(job))
    assert commands[0] == ["adb", "devices", "-l"]
    assert any("float_twin.tflite" in word for word in commands[3])


def test_too_few_samples(phone, job_of):
    job, binary, samples = job_of()
    with pytest.raises(ValueError, match="Expected 2 samples .*, got 1"):
        measure(job, binary, [samples[0][:1]])
    assert phone.commands == [["adb", "devices", "-l"]]


def test_samples_that_do_not_fit(phone, job_of):
    job, binary, samples = job_of()
    with pytest.raises(ValueError, match=r"shape \[\(4,\)\] .*, got \[\(3,\)\]"):
        measure(job, binary, [samples[0][:, :3]])
    assert phone.left == []


@pytest.mark.parametrize("how, is_right", [("rounding", True), ("wrong", False)])
def test_outputs_are_compared(how, is_right, phone, job_of):
    phone.set(benchmark=how)
    report = measure(*job_of(settings=ONE_RUN))
    assert report.is_right is is_right
    assert report.checks[0].identical == 0
    page = render_device_page(report)
    assert ("wrong: the device computes something else" in page) is not is_right


def test_a_device_without_sensors(board, job_of):
    for path in ("sys", "proc"):
        for file in (board.folder / path).rglob("*"):
            if file.is_file():
                file.unlink()
    board.program("vcgencmd", "exit 1")
    report = measure(*job_of("linux", settings=dataclasses.replace(QUICK, samples=0)))
    assert report.device.celsius is None
    assert report.device.governors == ()
    assert report.checks == ()
    assert json.loads(report.to_json())["is_right"] is None
    page = render_device_page(report)
    assert "not checked" in page
    assert "a device that does not tell its name" in page


def test_a_host_of_ssh(board, job_of):
    job, binary, samples = job_of("linux", settings=ONE_RUN)
    port = dataclasses.replace(job, target=Target("linux", "board", "pi", 2222))
    measure(port, binary, samples)
    for command in board.commands:
        flag = "-p" if command[0] == "ssh" else "-P"
        assert command[command.index(flag) + 1] == "2222"


def test_an_error_of_a_device_is_no_word_of_the_benchmark(phone, job_of):
    phone.set(benchmark="damaged")
    settings = dataclasses.replace(ONE_RUN, samples=0)
    with pytest.raises(DeviceError, match="in the words of the benchmark tool"):
        measure(*job_of(settings=settings))
    assert phone.left == []
