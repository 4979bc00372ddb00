"""Which devices train: `tf.distribute` strategies by name."""

import contextlib
import functools
import json
import os
import socket
import urllib.parse
from collections.abc import Callable, Iterator

import tensorflow as tf

__all__ = [
    "STRATEGIES",
    "WorkerLost",
    "check_batch_size",
    "check_same_epoch",
    "distributed",
    "is_chief",
    "make_strategy",
    "noticing_lost_workers",
]

_ANSWER_SECONDS = 10.0
_ABORTED = "Collective ops is aborted by: "
_COMMUNICATION_FAILED = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)


class WorkerLost(RuntimeError):
    """Another worker of a distributed run does not answer any more."""


def _check_cluster(text: str) -> None:
    try:
        cluster = json.loads(text)
        workers, task = cluster["cluster"]["worker"], cluster["task"]
        is_complete = task["type"] == "worker" and 0 <= task["index"] < len(workers)
    except (ValueError, KeyError, TypeError):
        is_complete = False
    if not is_complete:
        raise ValueError(
            "Expected TF_CONFIG in the environment for the strategy 'multi_worker', "
            'such as \'{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": '
            f'{{"type": "worker", "index": 0}}}}\', got {text!r}. Start the same '
            "command on every worker, each with its own index, from 0 on."
        )


@functools.cache
def _mirrored() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy()


@functools.cache
def _multi_worker() -> tf.distribute.Strategy:
    _check_cluster(os.environ.get("TF_CONFIG", ""))
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, tf.errors.OpError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            "Expected to reach the workers that TF_CONFIG names, before anything else "
            f"is computed in this process: {reason}"
        ) from error


def _check_answers(address: str) -> None:
    url = urllib.parse.urlsplit(address)
    if url.hostname and url.port:
        socket.create_connection((url.hostname, url.port), _ANSWER_SECONDS).close()


@functools.cache
def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        _check_answers(resolver.master())  # TensorFlow would wait for hours
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, OSError, tf.errors.OpError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            "Expected a TPU for the strategy 'tpu', found none (its address comes from "
            f"TPU_NAME, got {os.environ.get('TPU_NAME', '')!r}): {reason}"
        ) from error
    return tf.distribute.TPUStrategy(resolver)


_MAKERS: dict[str, Callable[[], tf.distribute.Strategy]] = {
    "none": tf.distribute.get_strategy,
    "mirrored": _mirrored,
    "multi_worker": _multi_worker,
    "tpu": _tpu,
}
STRATEGIES = tuple(_MAKERS)


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Makes a strategy, or gives the one that was made before.

    A process has at most one of each kind: two would count their messages separately
    and take those of the other for their own.

    # Arguments
        name: "none", one device; "mirrored", all GPUs of this machine; "multi_worker",
            the machines that `TF_CONFIG` names, to be called before any computation;
            "tpu", the TPU that `TPU_NAME` names.

    # Raises
        ValueError: for another name, and where the environment does not describe the
            workers or the TPU.
    """
    if name not in _MAKERS:
        raise ValueError(
            f"Expected a strategy out of {list(STRATEGIES)}, got {name!r}."
        )
    return _MAKERS[name]()


def _is_multi_worker(strategy: tf.distribute.Strategy) -> bool:
    resolver = strategy.cluster_resolver
    return resolver is not None and resolver.task_type == "worker"


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes files."""
    return not _is_multi_worker(strategy) or strategy.cluster_resolver.task_id == 0


def check_batch_size(global_batch_size: int, strategy: tf.distribute.Strategy) -> None:
    """Makes sure that every replica gets as many images.

    # Raises
        ValueError: unless `global_batch_size` is a multiple of the number of replicas.
    """
    replicas = strategy.num_replicas_in_sync
    if global_batch_size % replicas:
        raise ValueError(
            f"Expected `batch_size` to be a multiple of the {replicas} replicas, got "
            f"{global_batch_size}."
        )


def distributed(
    batches: Callable[[int, int], tf.data.Dataset],
    strategy: tf.distribute.Strategy,
    global_batch_size: int,
) -> tf.data.Dataset:
    """Batches for every replica, each a part of the global batch.

    # Arguments
        batches: Called with the index and the number of the input pipelines, one for
            each worker; delivers the images of this worker.
        strategy: From `make_strategy`.
        global_batch_size: Images of all replicas together.

    # Raises
        ValueError: unless `global_batch_size` is a multiple of the number of replicas.
    """
    check_batch_size(global_batch_size, strategy)
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches(0, 1)

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        pipeline = batches(context.input_pipeline_id, context.num_input_pipelines)
        return pipeline.rebatch(global_batch_size // replicas)

    return strategy.distribute_datasets_from_function(of_worker)


def check_same_epoch(epoch: int, strategy: tf.distribute.Strategy) -> None:
    """Makes sure that all workers of several have found the same checkpoint.

    # Arguments
        epoch: Where this worker is going to begin.
        strategy: From `make_strategy`.

    # Raises
        ValueError: if they have not, on all workers.
    """

    if not _is_multi_worker(strategy):
        return

    @tf.function
    def epochs_of_replicas() -> tf.Tensor:
        return strategy.run(lambda: tf.constant([epoch], tf.int32))

    epochs = strategy.gather(epochs_of_replicas(), axis=0)
    found = sorted(set(epochs.numpy().tolist()))
    if len(found) > 1:
        raise ValueError(
            f"Expected all workers to begin after the same epoch, got {found}. Give "
            "them one workdir that they share."
        )


@contextlib.contextmanager
def noticing_lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Reports in one line that another worker has stopped.

    # Raises
        WorkerLost: in place of the error of a communication that did not end.
    """
    try:
        yield
    except _COMMUNICATION_FAILED as error:
        if not _is_multi_worker(strategy) or _ABORTED not in str(error):
            raise
        reason = str(error).partition(_ABORTED)[2].partition("\n")[0]
        raise WorkerLost(
            "Another worker of this run has stopped: look at what it has printed, then "
            "start the same command again on all workers to go on from the last "
            f"checkpoint. ({reason})"
        ) from error
