"""What a run leaves, and that its settings reach it."""

import dataclasses
import importlib.metadata
import json
import logging
import math
import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.test_util import IsMklEnabled

from tests.zoo.runs import PROMISED, assert_same, initial_weights, names, run, weights
from tests.zoo.small_network import small_config, small_network
from zoo import recipes, training
from zoo.datasets.in_memory_dataset import InMemoryDataset
from zoo.torch_sgd import TorchSGD
from zoo.workdir import Workdir, WorkdirError


def test_files(finished_run):
    assert names(finished_run.path) == PROMISED
    assert not list(finished_run.path.rglob(".partial*"))


def test_config_file(finished_run):
    config = recipes.get("irnet_resnet20_digits").config.shrunk()
    assert finished_run.config() == config


def test_tensorboard_files(finished_run):
    events = finished_run.tensorboard_path.rglob("events.out.tfevents.*")
    assert {path.parent.name for path in events} == {"train", "validation"}


@pytest.mark.parametrize(
    "name, t_min, epochs", [("finished_run", 1.0, 2), ("small_run", 0.1, 3)]
)
def test_metrics_follow_the_schedules(name, t_min, epochs, request):
    finished = request.getfixturevalue(name)
    config, history = finished.config(), finished.history()
    assert [row["epoch"] for row in history] == list(range(epochs))
    for row in history:
        progress = row["epoch"] / config.epochs
        t = t_min * (10 / t_min) ** progress
        # schedules are computed in float32
        assert row["t"] == pytest.approx(t, rel=1e-6)
        assert row["k"] == pytest.approx(max(1 / t, 1), rel=1e-6)
        cosine = config.learning_rate * (1 + math.cos(math.pi * progress)) / 2
        assert row["lr"] == pytest.approx(cosine, rel=1e-6)


def test_metrics_are_finite_and_complete(finished_run):
    columns = {"epoch", "lr", "t", "k", "dead_share", "stuck_share"}
    measured = {"loss", "accuracy", "val_loss", "val_accuracy"}
    for row in finished_run.history():
        assert set(row) == columns | measured
        assert all(math.isfinite(value) for value in row.values())


def test_results(finished_run):
    results = finished_run.results()
    assert set(results) == {
        "arithmetic",
        "best_epoch",
        "epochs",
        "replicas",
        "seconds_of_last_session",
        "test",
        "trainable_parameters",
        "validation",
        "versions",
    }
    assert results["epochs"] == 2
    assert results["replicas"] == 1
    assert results["seconds_of_last_session"] > 0
    packages = ["larq", "larq-irnet", "numpy", "tensorflow"]
    expected = {name: importlib.metadata.version(name) for name in packages}
    assert results["versions"] == expected
    assert results["arithmetic"] == {
        "threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "cores": os.cpu_count(),
        "onednn": IsMklEnabled(),
    }


def test_results_are_those_of_the_saved_model(small_run):
    config, model = small_run.config(), small_run.model()
    training.compile_for(model, config)
    for split in "validation", "test":
        measured = training.evaluate(model, config, split)
        # the same model on the same batches; sums may be reordered by threads
        assert measured == pytest.approx(small_run.results()[split], rel=1e-5)


def test_validation_result_is_that_of_the_last_epoch(finished_run):
    last, validation = finished_run.history()[-1], finished_run.results()["validation"]
    for name in "loss", "accuracy":
        assert last[f"val_{name}"] == pytest.approx(validation[name], rel=1e-5)


def test_saved_weights_are_latent(finished_model):
    kernel = finished_model.get_layer("stage2_block2_conv1").get_weights()[0]
    assert len(np.unique(np.abs(kernel))) > kernel.size / 2


def test_training_moves_every_weight(small_run):
    trained = weights(small_run.path)
    for before, after in zip(initial_weights(small_run.path, small_config()), trained):
        assert np.any(before != after)


def test_a_complete_run_is_not_trained_again(finished_run, fails_if_it_trains, caplog):
    caplog.set_level(logging.INFO, "zoo.training")
    before = {path: path.stat().st_mtime_ns for path in finished_run.path.rglob("*")}
    assert run(finished_run.config(), finished_run.path) == finished_run.results()
    after = {path: path.stat().st_mtime_ns for path in finished_run.path.rglob("*")}
    assert before == after
    assert "is complete" in caplog.text


@pytest.mark.parametrize(
    "change, message",
    [
        ({"seed": 5}, r"seed=0 there, 5 now"),
        (
            {"learning_rate": 0.02, "epochs": 7},
            r"epochs=2 there, 7 now; learning_rate=0\.01 there, 0\.02 now",
        ),
        ({"method": "dirnet"}, r"method='irnet' there, 'dirnet' now"),
    ],
)
def test_another_run_in_the_same_folder(finished_run, change, message):
    config = dataclasses.replace(finished_run.config(), **change)
    with pytest.raises(WorkdirError, match=message):
        run(config, finished_run.path)
    assert names(finished_run.path) == PROMISED


def test_equal_seeds_give_equal_runs(small_run, tmp_path, use_small_network):
    # what the process did before does not matter
    tf.keras.utils.set_random_seed(123)
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    run(small_config(), tmp_path)
    assert_same(weights(tmp_path), weights(small_run.path))


def test_other_seeds_give_other_runs(small_run, tmp_path, use_small_network):
    path = tmp_path / "new" / "folder"
    assert run(small_config(seed=1), path) == Workdir(path).results()
    ours, theirs = weights(path)[0], weights(small_run.path)[0]
    assert np.abs(ours - theirs).max() > 1e-3


@pytest.mark.parametrize("method", ["float", "irnet_w1a32"])
def test_other_methods(method, use_small_network, tmp_path, caplog):
    run(small_config(method=method, epochs=1), tmp_path)
    is_binary = method == "irnet_w1a32"
    kept = [name for name in PROMISED if name != "weight_histograms.json" or is_binary]
    assert names(tmp_path) == kept
    (row,) = Workdir(tmp_path).history()
    for column in "t", "dead_share", "stuck_share":
        assert (column in row) == is_binary
    assert "nothing to do" not in caplog.text


@pytest.mark.parametrize(
    "settings", [{"precision": "mixed_float16"}, {"jit_compile": True}], ids=str
)
def test_other_settings(settings, use_small_network, tmp_path):
    config = small_config(**settings)
    results = run(config, tmp_path)
    assert names(tmp_path) == PROMISED
    assert math.isfinite(results["test"]["loss"])
    model = Workdir(tmp_path).model()
    assert {weight.dtype for weight in model.weights} == {tf.float32}
    training.compile_for(model, config)
    measured = training.evaluate(model, config, "test")
    # half precision, summed in another order
    assert measured["loss"] == pytest.approx(results["test"]["loss"], rel=1e-2)


def test_other_schedules(use_small_network, tmp_path):
    config = small_config(
        learning_rate_schedule="constant", estimator_update_freq="batch"
    )
    run(config, tmp_path)
    history = Workdir(tmp_path).history()
    assert [row["lr"] for row in history] == pytest.approx([0.01] * 3, rel=1e-6)
    # the constants of the last of two batches; float32
    t = [0.1 * 100 ** ((epoch + 0.5) / 3) for epoch in range(3)]
    assert [row["t"] for row in history] == pytest.approx(t, rel=1e-5)


def test_evaluation_agrees_with_numpy(use_small_network):
    config = small_config()
    model = config.build_model()
    training.compile_for(model, config)
    images, labels = training.datasets.get("digits").arrays("validation")
    logits = model(images).numpy().astype(np.float64)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    loss = -np.log(probabilities[np.arange(200), labels]).mean()
    metrics = training.evaluate(model, config, "validation")
    assert metrics["accuracy"] == pytest.approx((logits.argmax(-1) == labels).mean())
    # float32 sums against float64
    assert metrics["loss"] == pytest.approx(loss, rel=1e-5)


SGD = {
    "momentum": 0.7,
    "nesterov": True,
    "weight_decay": 1e-4,
    "decayed_weights": ".*/kernel",
}


@pytest.mark.parametrize(
    "settings, kind, expected",
    [
        ({"optimizer": "sgd", **SGD}, TorchSGD, SGD),
        ({"optimizer": "adam"}, tf.keras.optimizers.Adam, {"weight_decay": None}),
    ],
)
def test_compiled_optimizer(settings, kind, expected):
    config = small_config(**settings, learning_rate=0.25)
    model = small_network(config)
    training.compile_for(model, config)
    assert type(model.optimizer) is kind
    optimizer = model.optimizer.get_config()
    assert {name: optimizer[name] for name in expected} == expected
    assert optimizer["learning_rate"]["config"]["peak"] == 0.25


def test_a_decay_of_no_weight_is_refused_before_anything_is_written(
    use_small_network, tmp_path
):
    config = small_config(optimizer="sgd", weight_decay=1e-4, decayed_weights="stem")
    with pytest.raises(ValueError, match="`decayed_weights` .* 'stem', .* none"):
        run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_best_epoch(small_run):
    best = small_run.results()["best_epoch"]
    accuracies = [row["val_accuracy"] for row in small_run.history()]
    assert best["val_accuracy"] == max(accuracies)
    assert accuracies.index(max(accuracies)) == best["epoch"]


def test_top5_accuracy_with_many_classes(tmp_path, use_small_network):
    config = small_config(dataset="synthetic_cifar100", epochs=1)
    results = run(config, tmp_path)
    assert 0 <= results["test"]["accuracy"] <= results["test"]["top5_accuracy"] <= 1
    assert "val_top5_accuracy" in Workdir(tmp_path).history()[0]


def test_results_file_is_plain_json(finished_run):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = (finished_run.path / "results.json").read_text()
    assert json.loads(text, parse_constant=refuse)


def test_the_test_split_is_not_looked_at(use_small_network, tmp_path, monkeypatch):
    batches = InMemoryDataset.evaluation_batches
    splits = []

    def evaluation_batches(dataset, split, **options):
        splits.append(split)
        return batches(dataset, split, **options)

    monkeypatch.setattr(InMemoryDataset, "evaluation_batches", evaluation_batches)
    for looks in False, True:
        splits.clear()
        config = small_config(evaluate_test=looks, epochs=1)
        results = run(config, tmp_path / str(looks))
        assert ("test" in results) == ("test" in splits) == looks
        assert Workdir(tmp_path / str(looks)).results() == results
