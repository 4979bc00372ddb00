"""Latencies are measured in turns and said with their conditions."""

import pytest

from tflite_export.benchmarking import Candidate, measure_latency


def test_each_candidate_runs_as_often(exported_residual):
    candidate = Candidate(exported_residual.flatbuffer, {"use_indirect_bgemm": True})
    latencies = measure_latency(
        {"one": candidate, "two": candidate}, rounds=2, runs_per_round=3, threads=2
    )
    assert [(one.name, one.runs, one.threads) for one in latencies] == [
        ("one", 6, 2),
        ("two", 6, 2),
    ]


@pytest.mark.parametrize("number", ["rounds", "runs_per_round", "threads"])
def test_numbers_are_checked(number):
    with pytest.raises(ValueError, match="at least one round, run and thread"):
        measure_latency({"one": Candidate(b"", {})}, **{number: 0})


def test_there_has_to_be_a_model():
    with pytest.raises(ValueError, match="at least one model"):
        measure_latency({})
