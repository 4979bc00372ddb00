"""Runs that start from the weights of another one, and runs that have a teacher."""

import logging
import math
import shutil

import pytest
import tensorflow as tf

from tests.zoo.runs import (
    PROMISED,
    Interruption,
    assert_same,
    assert_same_history,
    at_epoch,
    at_step,
    initial_weights,
    names,
    run,
    stopped_by,
    weights,
)
from tests.zoo.small_network import small_config
from zoo import training
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.stop_on_non_finite_loss import StopOnNonFiniteLoss
from zoo.workdir import Workdir

AFTER_AN_EPOCH = (EpochCheckpoint, "on_epoch_end")
IN_THE_FIRST_EPOCH = (StopOnNonFiniteLoss, "on_train_batch_end")


@pytest.fixture
def first_stage(small_run, tmp_path):
    """A finished run that a test may remove."""
    path = tmp_path / "first"
    shutil.copytree(small_run.path, path)
    return path


def second_stage(first_stage):
    return small_config(initial_weights=str(first_stage), seed=5)


def test_a_run_starts_from_the_weights_of_another(
    first_stage, use_small_network, tmp_path
):
    config = second_stage(first_stage)
    run(config, tmp_path / "second")
    assert names(tmp_path / "second") == PROMISED
    ours = initial_weights(tmp_path / "second", config)
    assert_same(ours, weights(first_stage))
    for before, after in zip(ours, weights(tmp_path / "second")):
        assert (before != after).any()


def test_a_resumed_run_needs_its_initial_weights_no_more(
    first_stage, use_small_network, tmp_path, monkeypatch
):
    config = second_stage(first_stage)
    run(config, tmp_path / "whole")
    owner, name = AFTER_AN_EPOCH
    Interruption(owner, name, monkeypatch, when=at_epoch(0), after=True)
    with stopped_by(KeyboardInterrupt):
        run(config, tmp_path / "parts")
    shutil.rmtree(first_stage)
    run(config, tmp_path / "parts")
    assert_same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))
    assert run(config, tmp_path / "parts") == Workdir(tmp_path / "parts").results()


def test_a_run_that_was_stopped_in_its_first_epoch_starts_from_them_again(
    first_stage, use_small_network, tmp_path, monkeypatch
):
    config = second_stage(first_stage)
    run(config, tmp_path / "whole")
    owner, name = IN_THE_FIRST_EPOCH
    Interruption(owner, name, monkeypatch, when=at_step(0, 1))
    with stopped_by(KeyboardInterrupt):
        run(config, tmp_path / "parts")
    run(config, tmp_path / "parts")
    assert_same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"initial_weights": "nowhere"}, "`initial_weights` .* nothing at 'nowhere'"),
        (
            {"teacher": {"network": "ResNet20"}, "teacher_weights": "nowhere"},
            "`teacher_weights` .* nothing at 'nowhere'",
        ),
    ],
)
def test_missing_weights_are_reported_before_anything_is_written(
    settings, message, use_small_network, tmp_path
):
    with pytest.raises(ValueError, match=message):
        run(small_config(**settings), tmp_path / "run")
    assert not (tmp_path / "run").exists()


DISTILLED = small_config(
    teacher={"network": "ResNet20"}, teacher_weights="untrained", optimizer="sgd"
)


@pytest.fixture(scope="module")
def distilled_run(tmp_path_factory, small_network_for_module):
    path = tmp_path_factory.mktemp("distilled")
    run(DISTILLED, path)
    return Workdir(path)


def test_a_distilled_run_leaves_the_student(distilled_run, small_run):
    assert names(distilled_run.path) == PROMISED
    model = distilled_run.model()
    assert type(model) is tf.keras.Sequential
    assert [w.name for w in model.weights] == [
        w.name for w in small_run.model().weights
    ]
    ours, theirs = distilled_run.results(), small_run.results()
    assert ours["trainable_parameters"] == theirs["trainable_parameters"]
    assert set(distilled_run.history()[0]) == set(small_run.history()[0])


def test_results_of_a_distilled_run_compare_with_labels(distilled_run):
    model = distilled_run.model()
    training.compile_for(model, DISTILLED)
    for split in "validation", "test":
        measured = training.evaluate(model, DISTILLED, split)
        # the same model on the same batches; sums may be reordered by threads
        assert measured == pytest.approx(distilled_run.results()[split], rel=1e-5)
    last = distilled_run.history()[-1]
    results = distilled_run.results()["validation"]
    assert last["val_accuracy"] == pytest.approx(results["accuracy"])
    assert last["val_loss"] != pytest.approx(results["loss"], rel=1e-3)


def test_the_labels_are_not_used(distilled_run, tmp_path, monkeypatch):
    original = training._training_batches

    def shifted(*arguments):
        batches = original(*arguments)
        return batches.map(lambda images, labels: (images, (labels + 1) % 10))

    monkeypatch.setattr(training, "_training_batches", shifted)
    run(DISTILLED, tmp_path)
    assert_same(weights(tmp_path), weights(distilled_run.path))


@pytest.mark.parametrize(
    "place, options",
    [
        (IN_THE_FIRST_EPOCH, {"when": at_step(0, 1)}),
        (AFTER_AN_EPOCH, {"when": at_epoch(1), "after": True}),
    ],
    ids=["in the first epoch", "after an epoch"],
)
def test_a_distilled_run_resumes(
    place,
    options,
    distilled_run,
    small_network_for_module,
    tmp_path,
    monkeypatch,
    caplog,
):
    owner, name = place
    Interruption(owner, name, monkeypatch, **options)
    with stopped_by(KeyboardInterrupt):
        run(DISTILLED, tmp_path)
    if place is AFTER_AN_EPOCH:
        path, *_ = sorted((tmp_path / "checkpoints").glob("ckpt-*.index"))
        variables = tf.train.list_variables(str(path.with_suffix("")))
        assert not [name for name, _ in variables if "teach" in name]
        assert sum(math.prod(shape) for _, shape in variables) < 10_000
        caplog.set_level(logging.INFO, "zoo.training")
    run(DISTILLED, tmp_path)
    assert ("resuming after epoch 2" in caplog.text) == (place is AFTER_AN_EPOCH)
    assert_same(weights(tmp_path), weights(distilled_run.path))
    assert_same_history(Workdir(tmp_path), distilled_run)
