"""What goes wrong before any device computes; training is in test_training_*."""

import json
import socket

import pytest
import tensorflow as tf

from zoo.distribution import (
    STRATEGIES,
    check_batch_size,
    check_same_epoch,
    distributed,
    is_chief,
    make_strategy,
    noticing_lost_workers,
)

WORKERS = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}


def test_one_device():
    strategy = make_strategy("none")
    assert strategy.num_replicas_in_sync == 1
    assert is_chief(strategy)
    check_same_epoch(3, strategy)


def test_an_unknown_strategy():
    message = r"Expected a strategy out of \['none', 'mirrored', .*\], got 'horovod'"
    with pytest.raises(ValueError, match=message):
        make_strategy("horovod")
    assert STRATEGIES == ("none", "mirrored", "multi_worker", "tpu")


@pytest.mark.parametrize(
    "cluster",
    [
        None,
        "",
        "garbage",
        "[]",
        "{}",
        json.dumps({"cluster": WORKERS}),
        json.dumps({"cluster": WORKERS, "task": {"type": "worker", "index": 2}}),
        json.dumps({"cluster": WORKERS, "task": {"type": "worker", "index": -1}}),
        json.dumps({"cluster": WORKERS, "task": {"type": "worker", "index": "0"}}),
        json.dumps({"cluster": WORKERS, "task": {"type": "ps", "index": 0}}),
        json.dumps({"cluster": {"worker": 2}, "task": {"type": "worker", "index": 0}}),
    ],
)
def test_missing_or_damaged_descriptions_of_the_workers(cluster, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if cluster is not None:
        monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(ValueError, match="Expected TF_CONFIG .* such as .* got") as why:
        make_strategy("multi_worker")
    assert "\n" not in str(why.value)


def test_workers_after_something_was_computed(monkeypatch):
    tf.constant(1) + 1
    cluster = {"cluster": WORKERS, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(ValueError, match="before anything else is computed"):
        make_strategy("multi_worker")


@pytest.fixture
def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize("name", [None, "grpc://127.0.0.1:{}"])
def test_no_tpu(name, closed_port, monkeypatch):
    monkeypatch.delenv("TPU_NAME", raising=False)
    if name:
        monkeypatch.setenv("TPU_NAME", name.format(closed_port))
    with pytest.raises(ValueError, match="Expected a TPU .* TPU_NAME, got '.*") as why:
        make_strategy("tpu")
    assert "\n" not in str(why.value)


class Replicas:
    num_replicas_in_sync = 3


def test_a_batch_that_replicas_cannot_share():
    message = "Expected `batch_size` to be a multiple of the 3 replicas, got 64"
    with pytest.raises(ValueError, match=message):
        check_batch_size(64, Replicas())
    with pytest.raises(ValueError, match=message):
        distributed(lambda index, count: None, Replicas(), 64)


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.InternalError(None, None, "Collective ops is aborted by: gone"),
        tf.errors.InternalError(None, None, "a bug"),
    ],
)
def test_a_single_process_has_no_workers_to_lose(error):
    with pytest.raises(tf.errors.InternalError) as raised:
        with noticing_lost_workers(make_strategy("none")):
            raise error
    assert raised.value is error
