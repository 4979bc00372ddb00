import dataclasses
import json
import shutil

import pytest

import tflite_export
from tests.zoo.comparison.conftest import NAMES, SMOKE, measured_by_hand
from zoo.comparison import deployment, measuring
from zoo.comparison.measured import Measured, machine, run_identity
from zoo.comparison.measuring import measured
from zoo.comparison.plan import planned_runs
from zoo.workdir_error import WorkdirError


@pytest.fixture
def runs(small_workdir):
    """The first run of each recipe."""
    planned = planned_runs(NAMES, workdir=small_workdir, **SMOKE)
    return {name: runs[0] for name, runs in planned.items()}


@pytest.fixture
def steps(monkeypatch):
    """Training steps take no time; the recipes are noted."""
    calls = []

    def measure_steps(configs, **options):
        calls.append(list(configs))
        return {name: 0.001 for name in configs}

    monkeypatch.setattr(measuring, "measure_steps", measure_steps)
    monkeypatch.setattr(measuring, "_binary_share", lambda config: 0.5)
    return calls


@pytest.fixture
def without_export(monkeypatch):
    monkeypatch.setattr(measuring, "can_export", lambda: False)


def test_measured_in_earnest(small_workdir, runs):
    found = Measured.read(small_workdir / "measured.json")
    assert found is not None
    assert found.machine == machine()
    assert all(found.train_step_ms[name] > 0 for name in NAMES)
    # the stem has 3x3 pixels, the binary convolution one
    float_macs, binary_macs = 9 * 9 * 32 + 32 * 10, 9 * 32 * 32
    assert found.binary_mac_share == {
        NAMES[0]: 0.0,
        NAMES[1]: binary_macs / (binary_macs + float_macs),
    }
    assert found.not_exported == {}
    for name in NAMES:
        exported = runs[name].folder / "compared.tflite"
        assert found.deployed[name].tflite_bytes == exported.stat().st_size
        assert found.deployed[name].latency_ms > 0
    assert found.deployed[NAMES[0]].kernel.startswith("TFLite")
    assert found.deployed[NAMES[1]].kernel.startswith("LCE ")


def test_round_trip(tmp_path):
    there = measured_by_hand(NAMES, not_exported={"some": "reason"})
    there.write(tmp_path / "measured.json")
    assert Measured.read(tmp_path / "measured.json") == there


def identities(runs):
    return {name: run_identity(run) for name, run in runs.items()}


def test_what_is_there_is_not_measured_again(runs, steps, tmp_path):
    path = tmp_path / "measured.json"
    there = measured_by_hand(NAMES, runs=identities(runs))
    there.write(path)
    assert measured(runs, path) == there
    assert measured(dict([*runs.items()][:1]), path) == there
    assert steps == []


@pytest.mark.parametrize("change", ["settings", "weights"])
def test_another_run_of_a_recipe_is_measured(
    change, runs, steps, without_export, tmp_path
):
    path = tmp_path / "measured.json"
    measured_by_hand(NAMES, runs=identities(runs)).write(path)
    run = runs[NAMES[1]]
    folder = tmp_path / "other"
    shutil.copytree(run.folder, folder)
    other = dataclasses.replace(run, folder=folder)
    assert run_identity(other) == run_identity(run)
    if change == "settings":
        config = run.config.with_settings({"learning_rate": 0.5})
        other = dataclasses.replace(other, config=config)
    else:
        with (folder / "model.keras").open("ab") as file:
            file.write(b"!")
    found = measured({**runs, NAMES[1]: other}, path)
    assert steps == [NAMES]
    assert found.runs[NAMES[1]] != run_identity(run)


def test_one_recipe_more_measures_all_again(runs, steps, without_export, tmp_path):
    path = tmp_path / "measured.json"
    there = measured_by_hand(NAMES[:1], runs=identities(runs))
    there.write(path)
    assert measured({NAMES[0]: runs[NAMES[0]]}, path) == there
    found = measured(runs, path)
    assert steps == [NAMES]
    assert found.train_step_ms == {name: 1.0 for name in NAMES}
    assert found == Measured.read(path)


def test_again(runs, steps, without_export, tmp_path):
    path = tmp_path / "measured.json"
    there = measured_by_hand(NAMES, runs=identities(runs))
    there.write(path)
    assert measured(runs, path).machine == there.machine != machine()
    assert measured(runs, path, again=True).machine == machine()
    assert steps == [NAMES]


def test_without_the_engine_nothing_is_exported(runs, steps, without_export, tmp_path):
    found = measured(runs, tmp_path / "measured.json")
    assert (found.deployed, found.not_exported) == ({}, {})
    assert found.covers(identities(runs), exported=False)
    assert not found.covers(identities(runs), exported=True)


def test_a_network_that_cannot_be_exported(runs, steps, monkeypatch, tmp_path):
    finding = tflite_export.Finding("error", "some_layer", "It is odd.", "Leave it.")

    def export_run(folder, **options):
        if NAMES[1] in str(folder):
            raise tflite_export.ExportError("Cannot export", [finding])
        return folder / "compared.tflite"

    monkeypatch.setattr(deployment, "export_run", export_run)
    said: list[str] = []
    found = measured(runs, tmp_path / "measured.json", report=said.append)
    assert list(found.deployed) == NAMES[:1]
    assert "some_layer: It is odd." in found.not_exported[NAMES[1]]
    assert any("some_layer" in text for text in said)
    assert found.covers(identities(runs), exported=True)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"deployed": {}})])
def test_damaged_measurements(content, runs, tmp_path):
    path = tmp_path / "measured.json"
    path.write_text(content)
    with pytest.raises(WorkdirError, match="Remove the file to measure again"):
        measured(runs, path)
