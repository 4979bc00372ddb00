"""Trained weights for a network, from each of the places where they may lie."""

import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
import torch

import zoo
from tests.zoo import torch_networks
from tests.zoo.network_pairs import float64
from tests.zoo.runs import assert_same
from tests.zoo.small_network import small_config, small_network
from zoo.pretrained import load_initial_weights, load_pretrained
from zoo.torch_import import load_state_dict
from zoo.workdir import Workdir


def load(model, path, advice="Train it first."):
    load_pretrained(model, str(path), setting="teacher_weights", advice=advice)


def refused(model, path):
    """The error, after making sure that nothing was assigned."""
    before = model.get_weights()
    with pytest.raises(ValueError) as error:
        load(model, path)
    assert_same(model.get_weights(), before)
    return str(error.value)


@pytest.fixture
def model():
    return small_network(small_config(seed=3))


@pytest.mark.parametrize("name", ["", "model.keras"], ids=["folder", "file"])
def test_a_finished_run(name, small_run, model):
    load(model, small_run.path / name)
    assert_same(model.get_weights(), small_run.model().get_weights())


@pytest.mark.parametrize("method", ["float", "ste_sign", "recu"])
def test_latent_weights_of_another_method(method, small_run):
    model = small_network(small_config(method=method))
    load(model, small_run.path)
    assert_same(model.get_weights(), small_run.model().get_weights())


def test_float64(small_run):
    with float64():
        model = small_network(small_config())
        load(model, small_run.path)
    for ours, theirs in zip(model.get_weights(), small_run.model().get_weights()):
        assert ours.dtype == np.float64
        np.testing.assert_array_equal(ours, theirs)


def test_a_pytorch_checkpoint(tmp_path):
    state_dict = torch_networks.ResNet20(channels=1).state_dict()
    torch.save({"state_dict": state_dict}, tmp_path / "model.th")
    ours, expected = (
        zoo.ResNet20("float", input_shape=(8, 8, 1), block="bi_real", alignment="torch")
        for _ in range(2)
    )
    load(ours, tmp_path / "model.th")
    load_state_dict(expected, state_dict)
    assert_same(ours.get_weights(), expected.get_weights())


def test_initial_weights(small_run, model):
    load_initial_weights(model, small_config(initial_weights=str(small_run.path)))
    assert_same(model.get_weights(), small_run.model().get_weights())


@pytest.mark.parametrize(
    "path, advice",
    [
        ("nowhere", "Finish the run that leaves them first."),
        (
            "runs/recu_reactnet18_stage1_imagenet",
            "Train it first: python -m zoo.train "
            "--recipe=recu_reactnet18_stage1_imagenet "
            "--workdir=runs/recu_reactnet18_stage1_imagenet.",
        ),
    ],
)
def test_initial_weights_that_are_missing(path, advice, model):
    with pytest.raises(ValueError) as error:
        load_initial_weights(model, small_config(initial_weights=path))
    assert f"found nothing at {path!r}. {advice} Another place" in str(error.value)


@pytest.mark.parametrize("name", ["run", "model.keras", "model.pth", "a/b"])
def test_nothing_is_there(name, model, tmp_path):
    path = tmp_path / name
    assert refused(model, path) == (
        "Expected `teacher_weights` to be the folder of a finished run, a .keras file "
        f"or a PyTorch checkpoint, found nothing at {str(path)!r}. Train it first. "
        "Another place is named by --set=teacher_weights=..."
    )


def test_a_run_that_is_not_finished(small_run, model, tmp_path):
    shutil.copytree(small_run.path, tmp_path / "run")
    (tmp_path / "run" / "model.keras").unlink()
    message = refused(model, tmp_path / "run")
    assert message.startswith(f"Expected a finished run in {tmp_path / 'run'}, found")


@pytest.mark.parametrize("name", ["model.keras", "model.pth"])
def test_damaged_files(name, model, tmp_path):
    (tmp_path / name).write_bytes(b"damaged")
    assert name in refused(model, tmp_path / name)


def test_a_damaged_run(small_run, model, tmp_path):
    workdir = Workdir(tmp_path / "run")
    shutil.copytree(small_run.path, workdir.path)
    (workdir.path / "model.keras").write_bytes(b"damaged")
    assert "Cannot read" in refused(model, workdir.path)


def test_weights_of_another_shape(small_run):
    config = small_config(dataset="synthetic_cifar10")
    message = refused(small_network(config), small_run.path)
    assert re.match(
        r"Expected `teacher_weights` to hold the 12 weights of 'sequential.*', got "
        r"others: stem/kernel \(3, 3, 1, 4\) in place of \(3, 3, 3, 4\); "
        r"logits/kernel \(6, 10\) in place of \(.*, 10\)\.$",
        message,
    )


def test_weights_of_another_network(small_run):
    message = refused(zoo.ResNet20(input_shape=(8, 8, 1)), small_run.path)
    names = ["stem/kernel", "binary/kernel", "binary_bn/gamma", "binary_bn/beta"]
    for name in names:
        assert f"unexpected {name}" in message
    assert message.endswith("; ....")
    assert message.count("; ") == 5


def test_a_network_with_a_weight_more(small_run):
    model = small_network(small_config())
    top = tf.keras.layers.Dense(3, name="top")(model.output)
    taller = tf.keras.Model(model.input, top)
    message = refused(taller, small_run.path)
    assert message.endswith("got others: no top/kernel (10, 3); no top/bias (3,).")


def resnet20(method="recu", **options):
    return zoo.ResNet20(method, input_shape=(8, 8, 1), **options)


def saved(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    return path


def test_the_second_stage_starts_from_real_kernels(tmp_path):
    stages = [
        small_config(method="recu", binary_weights=binary).build_model()
        for binary in (False, True)
    ]
    load(stages[1], saved(stages[0], tmp_path))
    assert_same(stages[1].get_weights(), stages[0].get_weights())


@pytest.mark.parametrize(
    "ours, theirs", [("torch", "tensorflow"), ("tensorflow", "torch")]
)
def test_weights_of_another_alignment(ours, theirs, tmp_path):
    path = saved(resnet20(alignment=theirs), tmp_path)
    assert refused(resnet20(alignment=ours), path) == (
        f"Expected weights of a network with alignment='{ours}' in `teacher_weights`, "
        f"got those of one with alignment='{theirs}', whose kernels are rotated by 180 "
        "degrees against it."
    )


def test_weights_of_other_blocks_with_the_same_names(tmp_path):
    source, model = resnet20(block="bi_real"), resnet20(block="normal")
    theirs, ours = ({w.name for w in one.weights} for one in (source, model))
    assert theirs == ours
    message = refused(model, saved(source, tmp_path))
    assert message == (
        "Expected `teacher_weights` to hold weights of the layers of 'resnet20', got "
        "others: unexpected layer stage1_block1_conv1_add; "
        "unexpected layer stage1_block1_conv2_add; "
        "unexpected layer stage1_block1_conv2_act; "
        "unexpected layer stage1_block2_conv1_add; "
        "unexpected layer stage1_block2_conv2_add; ...."
    )
