"""`irnet-import-torch`: a checkpoint becomes a workdir, or nothing does."""

import json
import os
import sys

import numpy as np
import pytest
import torch

from tests.zoo import torch_networks
from tests.zoo.commands import (
    assert_fails_in_one_line,
    assert_refuses_flags,
    call_command,
    run_command_line,
)
from tests.zoo.torch_networks import make_lively
from zoo import datasets, recipes, training
from zoo.torch_import import load_state_dict
from zoo.workdir import Workdir, WorkdirError

RECIPE = "irnet_resnet20_cifar10"


@pytest.fixture(scope="module")
def network():
    return make_lively(torch_networks.ResNet20(), size=32)


@pytest.fixture(scope="module")
def checkpoint(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoints") / "model.th"
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"state_dict": state, "best_prec1": 86.5}, path)
    return path


@pytest.fixture
def import_torch(capsys):
    """`irnet-import-torch`."""

    def call(checkpoint, workdir, recipe=RECIPE):
        arguments = [
            f"--checkpoint={checkpoint}",
            f"--recipe={recipe}",
            f"--workdir={workdir}",
        ]
        return call_command("import_torch", arguments, capsys)

    return call


@pytest.fixture
def imported(import_torch, checkpoint, tmp_path):
    path = tmp_path / "runs" / "imported"
    return import_torch(checkpoint, path), Workdir(path)


def assert_same_weights(model, expected):
    assert len(model.weights) == len(expected.weights) > 0
    for ours, theirs in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_what_it_leaves(imported, checkpoint, network):
    outcome, workdir = imported
    assert outcome.code == 0
    assert sorted(entry.name for entry in workdir.path.iterdir()) == [
        "config.json",
        "imported.json",
        "model.keras",
    ]
    assert [entry.name for entry in workdir.path.parent.iterdir()] == ["imported"]
    config = workdir.config()
    assert config.alignment == "torch"
    recipe = json.loads(recipes.get(RECIPE).config.to_json())
    assert {**json.loads(config.to_json()), "alignment": recipe["alignment"]} == recipe


def test_the_release_of_2019(tmp_path, capsys):
    # the only one whose trainer saves a checkpoint, as "net"
    network = make_lively(torch_networks.CifarResNet18(release=2019), size=32)
    torch.save({"net": network.state_dict(), "acc": 91.5}, tmp_path / "ckpt.pth")
    arguments = [
        f"--checkpoint={tmp_path / 'ckpt.pth'}",
        "--recipe=irnet_resnet18_cifar10",
        f"--workdir={tmp_path / 'run'}",
        "--set=network_options.release=2019",
    ]
    outcome = call_command("import_torch", arguments, capsys)
    assert outcome.code == 0, outcome.stderr
    assert Workdir(tmp_path / "run").config().network_options["release"] == 2019


@pytest.fixture(scope="module")
def recu_network():
    network = torch_networks.ResNet20(
        conv=torch_networks.ReCUConv2d, shortcut=torch_networks.PooledOptionA
    )
    return make_lively(network, size=32)


@pytest.fixture(scope="module")
def recu_checkpoint(recu_network, tmp_path_factory):
    """As ReCU's trainer saves it: no prefix, and tau of one element."""
    path = tmp_path_factory.mktemp("checkpoints") / "model_best.pth.tar"
    state = {
        name: value.reshape(1) if name.endswith(".tau") else value
        for name, value in recu_network.state_dict().items()
    }
    torch.save({"epoch": 600, "model": "resnet20", "state_dict": state}, path)
    return path


def test_recus_weights(import_torch, recu_checkpoint, recu_network, tmp_path):
    workdir = Workdir(tmp_path / "run")
    outcome = import_torch(recu_checkpoint, workdir.path, "recu_resnet20_cifar10")
    assert outcome.code == 0, outcome.stderr
    assert "as ResNet20, recu, " in outcome.stdout
    expected = workdir.config().build_model()
    load_state_dict(expected, recu_network.state_dict())
    assert_same_weights(workdir.model(), expected)


def test_the_checkpoint_of_another_method(import_torch, recu_checkpoint, tmp_path):
    outcome = import_torch(recu_checkpoint, tmp_path / "run")
    assert_fails_in_one_line(outcome, "without ReCU's channel scales", "the method")
    assert list(tmp_path.iterdir()) == []


def test_training_does_not_overwrite_it(imported, checkpoint):
    _, workdir = imported
    assert workdir.imported_from == str(checkpoint)
    with pytest.raises(WorkdirError, match="holds weights imported from .*model.th"):
        training.run(workdir.config().shrunk(), workdir.path, progress="none")


def test_what_it_prints(imported, checkpoint):
    outcome, workdir = imported
    assert outcome.stdout == (
        f"{RECIPE}: 271,354 numbers imported from {checkpoint} into {workdir.path}, as "
        "ResNet20, irnet, block=bi_real, bn_gamma=uniform. Go on with `python -m "
        f"zoo.evaluate --workdir={workdir.path}` and `python -m tflite_export.export "
        f"--workdir={workdir.path}`.\n"
    )


def test_the_model_is_the_imported_one(imported, network):
    _, workdir = imported
    model = workdir.model()
    expected = workdir.config().build_model()
    load_state_dict(expected, network.state_dict())
    assert_same_weights(model, expected)


def digits_checkpoint(path):
    network = make_lively(torch_networks.ResNet20(channels=1), size=8, channels=1)
    torch.save(network.state_dict(), path)
    return network


def test_the_next_command_evaluates_it(import_torch, tmp_path, capsys, caplog):
    """On a dataset that is always there; `irnet_resnet20_digits` pads with ones."""
    network = digits_checkpoint(tmp_path / "model.th")
    workdir = tmp_path / "run"
    outcome = import_torch(tmp_path / "model.th", workdir, "irnet_resnet20_digits")
    assert outcome.code == 0
    assert "do not pad with zeros" in caplog.text
    for module in network.modules():
        if isinstance(module, torch_networks.IRConv2d):
            module.padding_value = 1.0
    test = datasets.get("digits").arrays("test")
    with torch.no_grad():
        logits = network(torch.from_numpy(test.images.transpose(0, 3, 1, 2).copy()))
    accuracy = (logits.argmax(1).numpy() == test.labels).mean()
    outcome = call_command("evaluate", [f"--workdir={workdir}"], capsys)
    # one image in a thousand may have a value that rounding moves across zero
    printed = float(outcome.stdout.split("accuracy ")[1].split("%")[0])
    assert printed == pytest.approx(100 * accuracy, abs=0.5)


def test_an_empty_folder_is_filled(import_torch, checkpoint, tmp_path):
    assert import_torch(checkpoint, tmp_path).code == 0
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("name", ["config.json", "model.keras", "notes.txt"])
def test_a_folder_that_holds_something_is_refused(
    import_torch, checkpoint, tmp_path, name
):
    (tmp_path / name).write_text("{}")
    outcome = import_torch(checkpoint, tmp_path)
    assert_fails_in_one_line(outcome, "new or empty folder", str(tmp_path))
    assert (tmp_path / name).read_text() == "{}"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_is_refused(import_torch, checkpoint, tmp_path):
    (tmp_path / "run").write_text("mine")
    outcome = import_torch(checkpoint, tmp_path / "run")
    assert_fails_in_one_line(outcome, "new or empty folder")


def test_a_second_import_is_refused(imported, import_torch, checkpoint):
    _, workdir = imported
    before = {path: path.stat().st_mtime_ns for path in workdir.path.iterdir()}
    outcome = import_torch(checkpoint, workdir.path)
    assert_fails_in_one_line(outcome, "new or empty folder", "another workdir")
    assert before == {p: p.stat().st_mtime_ns for p in workdir.path.iterdir()}


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "content, words",
    [
        ({"epoch": 1}, ["Expected a state dict", "epoch"]),
        ({"conv1.weight": torch.ones(1)}, ["conv1.weight (1,)", "no bn1.weight"]),
    ],
)
def test_bad_checkpoints_leave_nothing(import_torch, tmp_path, content, words):
    torch.save(content, tmp_path / "model.th")
    outcome = import_torch(tmp_path / "model.th", tmp_path / "runs" / "one")
    assert_fails_in_one_line(outcome, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["model.th"]


def test_a_malicious_checkpoint_as_a_user_sees_it(tmp_path):
    torch.save({"state_dict": Malicious(tmp_path / "made")}, tmp_path / "model.th")
    outcome = run_command_line(
        "import_torch",
        f"--checkpoint={tmp_path / 'model.th'}",
        f"--recipe={RECIPE}",
        f"--workdir={tmp_path / 'run'}",
    )
    assert_fails_in_one_line(outcome, "mkdir", "it was not run")
    assert [path.name for path in tmp_path.iterdir()] == ["model.th"]


def test_no_checkpoint(import_torch, tmp_path):
    outcome = import_torch(tmp_path / "none.th", tmp_path / "run")
    assert_fails_in_one_line(outcome, "none.th", "No such file or directory")
    assert list(tmp_path.iterdir()) == []


def test_the_checkpoint_of_another_network(import_torch, checkpoint, tmp_path):
    outcome = import_torch(checkpoint, tmp_path / "run", "irnet_vgg_small_cifar10")
    assert_fails_in_one_line(outcome, "VGG-Small", "unexpected layer1.0.conv1.weight")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_recipe(import_torch, checkpoint, tmp_path):
    outcome = import_torch(checkpoint, tmp_path / "run", "irnet_resnet21")
    assert_fails_in_one_line(outcome, "Expected a recipe out of", "irnet_resnet21")


@pytest.mark.parametrize("method", ["create", "write_imported_from", "write_model"])
def test_failing_to_write_leaves_nothing(
    import_torch, checkpoint, tmp_path, monkeypatch, method
):
    def failing(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Workdir, method, failing)
    outcome = import_torch(checkpoint, tmp_path / "run")
    assert_fails_in_one_line(outcome, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_pytorch_is_missing(import_torch, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    outcome = import_torch(checkpoint, tmp_path / "run")
    assert_fails_in_one_line(outcome, "pip install 'larq-irnet[torch]'")


@pytest.mark.parametrize("missing", ["checkpoint", "recipe", "workdir"])
def test_missing_flags(capsys, missing, tmp_path):
    given = {"checkpoint": "model.th", "recipe": RECIPE, "workdir": str(tmp_path)}
    arguments = [f"--{n}={value}" for n, value in given.items() if n != missing]
    outcome = call_command("import_torch", arguments, capsys)
    assert_refuses_flags(outcome, f"--{missing}")
