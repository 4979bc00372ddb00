import json
import shutil
import zipfile

import pytest

from tests.zoo.small_network import small_config
from zoo.workdir import Workdir, WorkdirError


@pytest.fixture
def copied_run(finished_run, tmp_path):
    """A finished run that a test may damage."""
    shutil.copytree(finished_run.path, tmp_path / "run")
    return Workdir(tmp_path / "run")


def test_a_finished_run(finished_run, finished_model):
    assert finished_run.is_complete
    assert finished_run.config().method == "irnet"
    assert finished_run.results()["epochs"] == len(finished_run.history()) == 2
    assert finished_model.output_shape == (None, 10)


def test_nothing_is_made_before_it_is_needed(tmp_path):
    folder = Workdir(tmp_path / "run")
    assert not folder.is_complete
    assert folder.history() == []
    assert list(tmp_path.iterdir()) == []


def test_create_makes_all_folders_and_the_configuration(tmp_path):
    folder = Workdir(tmp_path / "some" / "run")
    folder.create(small_config())
    assert [path.name for path in folder.path.iterdir()] == ["config.json"]
    assert folder.config() == small_config()


def test_create_again_with_the_same_settings(tmp_path):
    folder = Workdir(str(tmp_path))
    folder.create(small_config())
    folder.check(small_config())
    folder.create(small_config())
    assert folder.config() == small_config()


def test_create_tidies_up_after_a_process_that_was_killed(tmp_path):
    folder = Workdir(tmp_path)
    folder.create(small_config())
    for name in ".partial-7-model.keras", ".partial-7-initial.weights.keras":
        (tmp_path / name).write_text("half")
    folder.create(small_config())
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_create_again_with_other_settings(tmp_path):
    folder = Workdir(tmp_path)
    folder.create(small_config())
    message = (
        rf"Expected {tmp_path} to hold a run with the same settings, got epochs=3 "
        r"there, 9 now; optimizer='adam' there, 'sgd' now\. Choose another workdir"
    )
    for method in folder.check, folder.create:
        with pytest.raises(WorkdirError, match=message):
            method(small_config(epochs=9, optimizer="sgd"))
    assert folder.config() == small_config()


def test_check_makes_nothing(tmp_path):
    Workdir(tmp_path / "run").check(small_config())
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_empty():
    with pytest.raises(WorkdirError, match="Expected .* of a workdir, got an empty"):
        Workdir("")


@pytest.mark.parametrize("below", ["", "below", "far/below"])
def test_create_where_a_file_is(tmp_path, below):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / below
    with pytest.raises(
        WorkdirError, match=rf"Expected a workdir that can be written, got {path}: \w"
    ):
        Workdir(path).create(small_config())
    assert (tmp_path / "file").read_text() == "in the way"


def test_create_where_the_configuration_cannot_be_written(tmp_path, monkeypatch):
    def full(*arguments, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(WorkdirError, match="No space left on device"):
        Workdir(tmp_path / "run").create(small_config())
    assert list((tmp_path / "run").iterdir()) == []


def test_errors_are_value_errors():
    # the command lines report those in one line
    assert issubclass(WorkdirError, ValueError)


@pytest.mark.parametrize("name", ["config", "results"])
def test_missing_text_files(copied_run, name):
    (copied_run.path / f"{name}.json").unlink()
    message = (
        rf"Expected a training run in {copied_run.path}, cannot read {name}\.json: "
        "No such file or directory"
    )
    with pytest.raises(WorkdirError, match=message):
        getattr(copied_run, name)()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xfe\x00", b'{"epochs": '])
@pytest.mark.parametrize("name", ["arithmetic", "config", "results"])
def test_damaged_text_files(copied_run, name, content):
    (copied_run.path / f"{name}.json").write_bytes(content)
    with pytest.raises(WorkdirError, match=rf"(Cannot|Expected).* .*{name}\.json\W+\w"):
        getattr(copied_run, name)()


@pytest.mark.parametrize("content", ["[]", "3", "null", "{}", '{"epochs": 0}'])
def test_configurations_of_something_else(copied_run, content):
    (copied_run.path / "config.json").write_text(content)
    with pytest.raises(WorkdirError, match=r"Cannot read .*config\.json: Expected"):
        copied_run.config()


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_arithmetic_of_something_else(copied_run, content):
    (copied_run.path / "arithmetic.json").write_text(content)
    with pytest.raises(WorkdirError, match=r"arithmetic\.json to tell threads"):
        copied_run.arithmetic()


def test_arithmetic_of_a_run_that_has_left_it_in_its_results(copied_run):
    noted = copied_run.arithmetic()
    assert noted == copied_run.results()["arithmetic"]
    (copied_run.path / "arithmetic.json").unlink()
    assert copied_run.arithmetic() == noted
    (copied_run.path / "results.json").unlink()
    assert copied_run.arithmetic() == {}


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "3",
        "null",
        "{}",
        '{"test": {"accuracy": 1}}',
        '{"test": {"accuracy": 1}, "validation": {"accuracy": "high"}}',
    ],
)
def test_results_of_something_else(copied_run, content):
    (copied_run.path / "results.json").write_text(content)
    with pytest.raises(WorkdirError, match=r"results\.json, got damaged ones"):
        copied_run.results()


def test_configuration_with_an_invalid_setting(copied_run):
    settings = json.loads((copied_run.path / "config.json").read_text())
    (copied_run.path / "config.json").write_text(json.dumps({**settings, "epochs": -1}))
    with pytest.raises(WorkdirError, match="`epochs` to be at least 1, got -1"):
        copied_run.config()


@pytest.mark.parametrize("name", ["config.json", "results.json"])
def test_a_folder_in_place_of_a_file(copied_run, name):
    (copied_run.path / name).unlink()
    (copied_run.path / name).mkdir()
    with pytest.raises(WorkdirError, match=rf"cannot read {name}: Is a directory"):
        getattr(copied_run, name.removesuffix(".json"))()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xfe\x00", b"[3]"])
def test_damaged_histograms(copied_run, content):
    path = copied_run.path / "weight_histograms.json"
    path.write_bytes(content)
    with pytest.raises(WorkdirError, match=rf"(?s)Cannot read {path}: Expected .*got"):
        copied_run.histograms()


def test_a_run_without_histograms(tmp_path):
    assert Workdir(tmp_path).histograms() == []


def test_missing_model(copied_run):
    (copied_run.path / "model.keras").unlink()
    message = (
        rf"Expected a finished run in {copied_run.path}, found no model\.keras\. Train "
        r"first: `python -m zoo\.train"
    )
    with pytest.raises(WorkdirError, match=message):
        copied_run.model()


def garbage(content):
    return b"garbage"


def nothing(content):
    return b""


def first_half(content):
    return content[: len(content) // 2]


def flipped_weight(content):
    """One byte of the weights is another: the checksum of the archive is wrong."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [garbage, nothing, first_half, flipped_weight])
def test_damaged_model(copied_run, damage):
    path = copied_run.path / "model.keras"
    path.write_bytes(damage(path.read_bytes()))
    message = rf"(?s)Cannot read {path}: .*Remove {copied_run.path} and train again"
    with pytest.raises(WorkdirError, match=message):
        copied_run.model()


@pytest.mark.parametrize("kept", [[], ["config.json"], ["metadata.json"]])
def test_model_without_some_of_its_parts(copied_run, kept):
    path = copied_run.path / "model.keras"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in kept}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(WorkdirError, match=rf"Cannot read {path}: "):
        copied_run.model()


def test_model_with_an_unknown_layer(copied_run):
    # as a later version of the zoo may write it
    path = copied_run.path / "model.keras"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    known, unknown = b"PadChannels", b"PadZhannels"
    assert known in parts["config.json"]
    parts["config.json"] = parts["config.json"].replace(known, unknown)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(WorkdirError, match=rf"Cannot read {path}: "):
        copied_run.model()


def test_write_model_leaves_the_old_one_if_it_fails(copied_run):
    class Unsaveable:
        def save(self, path):
            path.write_text("half")
            raise OSError(28, "No space left on device")

    before = sorted(path.name for path in copied_run.path.iterdir())
    content = (copied_run.path / "model.keras").read_bytes()
    message = rf"Cannot write {copied_run.path}/model\.keras: No space left on device\."
    with pytest.raises(WorkdirError, match=message):
        copied_run.write_model(Unsaveable())
    assert (copied_run.path / "model.keras").read_bytes() == content
    assert sorted(path.name for path in copied_run.path.iterdir()) == before


HEADER = "epoch,accuracy,loss,val_accuracy,val_loss"


def write_metrics(folder, epochs):
    rows = [f"{epoch},{0.5 / (epoch + 1)!r},0.25,1.5,1e-05" for epoch in epochs]
    folder.metrics_path.write_text("\n".join([HEADER, *rows]) + "\n")


def test_history(tmp_path):
    folder = Workdir(tmp_path)
    write_metrics(folder, range(2))
    rest = {"loss": 0.25, "val_accuracy": 1.5, "val_loss": 1e-5}
    assert folder.history() == [
        {"epoch": 0, "accuracy": 0.5, **rest},
        {"epoch": 1, "accuracy": 0.25, **rest},
    ]


@pytest.mark.parametrize("removed", [1, 5, 20])
def test_a_row_that_was_cut_off_is_left_out(tmp_path, removed):
    folder = Workdir(tmp_path)
    write_metrics(folder, range(3))
    before = folder.history()
    text = folder.metrics_path.read_text()
    folder.metrics_path.write_text(text[:-removed])
    assert folder.history() == before[:2]


@pytest.mark.parametrize(
    "content",
    [
        "epoch,loss\n0,1\n",
        f"{HEADER}\n0,high,1,1,1\n",
        f"{HEADER}\n0,1\n",
        b"\xff\xfe\n",
    ],
)
def test_damaged_metrics(tmp_path, content):
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "metrics.csv").write_bytes(content)
    with pytest.raises(WorkdirError, match=r"metrics\.csv"):
        Workdir(tmp_path).history()


@pytest.mark.parametrize("first", [0, 1, 2, 3, 5])
def test_epochs_that_are_to_be_run_again_are_forgotten(tmp_path, first):
    folder = Workdir(tmp_path)
    write_metrics(folder, range(3))
    before = folder.history()
    folder.forget_epochs_from(first)
    assert folder.history() == before[:first]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_rows_that_are_kept_keep_their_text(tmp_path):
    folder = Workdir(tmp_path)
    write_metrics(folder, range(3))
    lines = folder.metrics_path.read_text().splitlines()
    folder.forget_epochs_from(2)
    assert folder.metrics_path.read_text().splitlines() == lines[:3]


def test_forgetting_without_metrics(tmp_path):
    folder = Workdir(tmp_path)
    folder.forget_epochs_from(0)
    assert folder.history() == []


def test_a_folder_that_is_held(tmp_path):
    workdir = Workdir(tmp_path / "run")
    with workdir.held():
        with pytest.raises(
            WorkdirError, match="that nothing else trains in, got .*run"
        ):
            with Workdir(tmp_path / "run").held():
                raise AssertionError("held twice")
        assert [*workdir.path.iterdir()] == []
    with workdir.held():  # free again
        pass


@pytest.mark.parametrize("content", ["", "[]", "{}", "nonsense"])
def test_a_damaged_note_of_an_import(tmp_path, content):
    (tmp_path / "imported.json").write_text(content)
    with pytest.raises(WorkdirError, match="imported.json to name a checkpoint"):
        Workdir(tmp_path).imported_from
