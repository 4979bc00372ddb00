"""What was measured is kept when a device is lost, or some of the runs fail."""

import dataclasses
import json

import jsonschema
import pytest

from tests.tflite_export.device.test_measuring import ONE_RUN, SCHEMA
from tflite_export.deploying import check_report
from tflite_export.device import DeviceError, RunError, measure, render_device_page

# of two models with one thread: list, facts, mkdir, push, chmod, two checks, pull, then
FIRST_LATENCY = 9  # to 12, then twice profile and memory, rm, facts
LAST_PROFILE, REMOVAL, LAST_FACTS = 15, 17, 18


def assert_is_kept(report, *words):
    """The report fits the schema, and the command fails."""
    jsonschema.validate(json.loads(report.to_json()), json.loads(SCHEMA.read_text()))
    assert not report.is_complete
    assert all(word in " ".join(report.failures) for word in words), report.failures
    with pytest.raises(DeviceError, match="The report has what was measured"):
        check_report(report)


def assert_has_a_page(report):
    page = render_device_page(report)
    assert "incomplete: not all was measured" in page
    assert all(failure[:20] in page for failure in report.failures)
    assert "None" not in page


@pytest.mark.parametrize("lost_at", [FIRST_LATENCY + 1, LAST_PROFILE])
def test_a_phone_that_is_lost(lost_at, phone, job_of):
    phone.set(lost_at=lost_at)
    report = measure(*job_of(settings=ONE_RUN))
    (left,) = phone.left
    assert_is_kept(
        report, "it is offline", f"shell 'rm -rf /data/local/tmp/{left.name}"
    )
    assert len(report.latencies) == min(4, lost_at - FIRST_LATENCY)
    assert report.is_right is True
    assert report.device_after is None
    assert len(report.missing) == FIRST_LATENCY + 8 - lost_at
    assert report.missing[-1] == "memory of binary, 1 thread"
    assert_has_a_page(report)


def test_a_board_that_is_lost_before_the_folder_is_removed(board, job_of):
    board.set(lost_at=REMOVAL - 1, words="lost connection")
    report = measure(*job_of("linux", settings=ONE_RUN))
    assert_is_kept(report, "is left on pi@board")
    assert report.missing == ()


def test_a_phone_that_is_lost_at_the_very_end(phone, job_of):
    phone.set(lost_at=LAST_FACTS)
    report = measure(*job_of(settings=ONE_RUN))
    assert phone.left == []
    assert_is_kept(report, "Expected to run a command on it", "it is offline")
    assert report.missing == ()


def test_a_phone_that_refuses_xnnpack(phone, job_of):
    phone.set(benchmark="no XNNPACK")
    settings = dataclasses.replace(ONE_RUN, rounds=2)
    report = measure(*job_of(settings=settings))
    assert len(report.failures) == 2  # they are not tried again in the second turn
    assert_is_kept(report, "Failed to apply XNNPACK delegate")
    assert [one.xnnpack for one in report.latencies] == [False, False]
    assert set(report.operators) == {"float twin", "binary"}
    assert report.missing == (
        "latency of float twin, 1 thread, XNNPACK",
        "latency of binary, 1 thread, XNNPACK",
    )
    assert report.device_after is not None
    assert phone.left == []


def test_tables_that_cannot_be_read(phone, job_of):
    phone.set(benchmark="no profile")
    report = measure(*job_of(settings=ONE_RUN))
    assert_is_kept(report, "Expected the results of the profile of binary, 1 thread")
    assert (report.operators, len(report.memory)) == ({}, 2)


def test_a_tool_that_knows_no_binary_model_is_no_use(phone, job_of):
    phone.set(benchmark="stock")
    settings = dataclasses.replace(ONE_RUN, samples=0)
    report = measure(*job_of(settings=settings))
    assert_is_kept(report, "does not know LceQuantize")
    assert [one.model for one in report.latencies] == ["float twin"]
    with pytest.raises(RunError, match="does not know LceQuantize"):
        measure(*job_of(settings=ONE_RUN))  # outputs come before anything is timed
