"""The whole flow against stand-in devices."""

import dataclasses
import json
import re
from pathlib import Path

import jsonschema
import pytest

from tests.tflite_export.device.conftest import QUICK, StandIn, plug_in
from tflite_export.device import (
    DeviceError,
    DeviceReport,
    Settings,
    Target,
    dry_run,
    measure,
    render_device_page,
)
from tflite_export.device.device_report_schema import device_report_schema
from tflite_export.operator_latency import KindLatency, OperatorLatency, by_kind

SCHEMA = Path(__file__).parents[3] / "docs" / "device_report.schema.json"
ONE_RUN = Settings(max_threads=1, rounds=1, sustained_seconds=0.0, samples=1)


NAMES = ("float twin", "binary", "int8")


@pytest.fixture(params=["android", "linux"])
def system(request):
    return request.param


@dataclasses.dataclass(frozen=True)
class Measured:
    """One whole measurement, and what was seen of it."""

    device: StandIn
    report: DeviceReport
    lines: list[str]
    commands: list[list[str]]
    planned: list[list[str]]


@pytest.fixture(scope="module", params=["android", "linux"])
def measured(request, tmp_path_factory, job_of):
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp(request.param)
        device = plug_in(folder, request.param, monkeypatch)
        serial = "0A1B2C3D" if request.param == "android" else None
        settings = dataclasses.replace(QUICK, rounds=2)
        job, binary, samples = job_of(
            request.param, names=NAMES, serial=serial, settings=settings
        )
        planned = list(dry_run(job))
        assert device.commands == []
        lines: list[str] = []
        report = measure(job, binary, samples, progress=lines.append)
        return Measured(device, report, lines, device.commands, planned)


def test_everything_is_measured_and_nothing_is_left(measured):
    report = measured.report
    assert measured.device.left == []
    assert report.is_right
    assert (report.is_complete, report.missing, report.doubts) == (True, (), ())
    assert {(one.model, one.threads, one.xnnpack) for one in report.latencies} == {
        (model, threads, xnnpack)
        for model in NAMES
        for threads in (1, 2)
        for xnnpack in (False, True)
    }
    alone = next(one for one in report.latencies if one.model == "binary")
    assert alone.milliseconds == pytest.approx(11.096 * 1.02, rel=1e-5)
    assert alone.fastest_ms < alone.milliseconds == alone.slowest_mean_ms
    assert alone.runs == 2 * 88  # in a second each
    assert [one.peak_mb for one in report.memory] == [18.5, 9.25, 9.25]
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


def test_progress_is_told(measured):
    runs = [line for line in measured.lines if re.match(r"\d+/", line)]
    assert len(runs) == 3 + 2 * 12 + 6 + 1
    assert runs[3].endswith("latency of float twin, 1 thread: 28.596 ms")
    assert runs[-1].startswith("34/34: sustained of binary, 2 threads")


def test_models_have_their_turns(measured):
    turns = [re.search(r"latency of (.*?),", line) for line in measured.lines]
    assert [turn[1] for turn in turns if turn] == [*NAMES] * 8


def test_operators_are_profiled_without_xnnpack(measured):
    scripts = [command[-1] for command in measured.commands]
    profiles = [script for script in scripts if "op_profiling" in script]
    assert len(profiles) == 3
    assert all("--use_xnnpack=false" in script for script in profiles)


def test_a_dry_run_prints_what_is_run(measured):
    planned, run = measured.planned, measured.commands
    assert list(map(_general, planned)) == list(map(_general, run))


@pytest.fixture(scope="module")
def schema():
    return json.loads(SCHEMA.read_text("utf-8"))


def test_the_schema_is_up_to_date(schema):
    module = "tflite_export.device.device_report_schema"
    command = f"python -m {module} > docs/device_report.schema.json"
    assert schema == device_report_schema(), f"run {command}"
    jsonschema.Draft202012Validator.check_schema(schema)
    for kind in (schema, *schema["$defs"].values()):
        assert all(value["description"] for value in kind["properties"].values())


def test_the_report_as_json(measured, schema):
    content = json.loads(measured.report.to_json())
    jsonschema.validate(content, schema)
    assert content["schema"] == 1
    assert (content["is_complete"], content["is_right"]) == (True, True)
    assert content["tool"]["release"] == "v0.16.0"
    assert content["operators"]["binary"][2] == dataclasses.asdict(
        OperatorLatency("LceBconv2d", "block1/Conv2D", 2.125)
    )
    del content["latencies"][0]["runs"]
    with pytest.raises(jsonschema.ValidationError, match="'runs' is a required"):
        jsonschema.validate(content, schema)


def test_the_report_as_a_page(measured):
    page = " ".join(render_device_page(measured.report).split())
    assert page.count("<svg") == 4  # none with four threads, on two cores
    for words in (
        "checked: the device computes what this machine computes",
        f"{measured.report.device.model}, {measured.report.device.version}, 2 cores",
        "Time per operator",
        "one by one, in the order of the model",
        "IR-Net, CVPR 2020",
        "QuickNetLarge",
        "here: int8",
        "1,418.94",
    ):
        assert words in page
    assert "None" not in page
    assert "incomplete" not in page
    is_board = measured.device.system == "linux"
    assert ("Raspberry Pi 4B, as here" in page) is is_board
    assert "Raspberry Pi 3B, as here" not in page


def _general(command):
    """A command without what is new each time: the folders there and here."""
    words = [re.sub(r"irnet-[0-9a-f]{16}", "irnet-x", word) for word in command]
    return [
        word if word.startswith(("/data", "/tmp/irnet")) else Path(word).name
        for word in words
        if not word.startswith("/tmp") or "irnet" in word or Path(word).suffix
    ]


def test_a_dry_run_without_samples_fetches_nothing(job_of):
    job, _, _ = job_of(settings=dataclasses.replace(QUICK, samples=0))
    assert not any("pull" in command for command in dry_run(job))


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
    assert len(phone.commands) == 2  # it was found and asked
    assert phone.left == []


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
    if not is_right:
        page = render_device_page(report)
        assert "wrong: the device computes something else" in page


def test_a_device_without_sensors(board, job_of):
    for path in ("sys", "proc"):
        for file in (board.folder / path).rglob("*"):
            if file.is_file():
                file.unlink()
    board.program("vcgencmd", "exit 1")
    settings = dataclasses.replace(ONE_RUN, samples=0, sustained_seconds=10.0)
    report = measure(*job_of("linux", settings=settings))
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
