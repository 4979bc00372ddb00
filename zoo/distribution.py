"""Which devices train: `tf.distribute` strategies by name."""

import json
import os
from collections.abc import Callable

import tensorflow as tf

__all__ = [
    "STRATEGIES",
    "distributed",
    "is_chief",
    "make_strategy",
]


def _multi_worker() -> tf.distribute.Strategy:
    cluster = os.environ.get("TF_CONFIG", "")
    try:
        workers = json.loads(cluster)["cluster"]["worker"]
        index = int(json.loads(cluster)["task"]["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            "Expected TF_CONFIG in the environment for the strategy 'multi_worker', "
            'such as \'{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": '
            f'{{"type": "worker", "index": 0}}}}\', got {cluster!r}. Start the same '
            "command on every worker, each with its own index."
        ) from error
    if not 0 <= index < len(workers):
        raise ValueError(
            f"Expected the index of a worker in TF_CONFIG in [0, {len(workers)}), got "
            f"{index}."
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(
            "Expected a TPU for the strategy 'tpu', found none (its address comes from "
            f"TPU_NAME): {error}"
        ) from error
    return tf.distribute.TPUStrategy(resolver)


_MAKERS: dict[str, Callable[[], tf.distribute.Strategy]] = {
    "none": tf.distribute.get_strategy,
    "mirrored": tf.distribute.MirroredStrategy,
    "multi_worker": _multi_worker,
    "tpu": _tpu,
}
STRATEGIES = tuple(_MAKERS)


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Makes a strategy.

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


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes files."""
    resolver = strategy.cluster_resolver
    return resolver is None or not resolver.task_id or resolver.task_type != "worker"


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
    replicas = strategy.num_replicas_in_sync
    if global_batch_size % replicas:
        raise ValueError(
            f"Expected `batch_size` to be a multiple of the {replicas} replicas, got "
            f"{global_batch_size}."
        )
    if replicas == 1:
        return batches(0, 1)

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        pipeline = batches(context.input_pipeline_id, context.num_input_pipelines)
        return pipeline.rebatch(global_batch_size // replicas)

    return strategy.distribute_datasets_from_function(of_worker)
