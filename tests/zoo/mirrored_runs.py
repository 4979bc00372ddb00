"""Runs on three virtual CPUs: `python -m tests.zoo.mirrored_runs FOLDER`.

Virtual devices have to be there before TensorFlow starts, hence the process of its own.
"""

import larq_irnet  # noqa: F401  # isort: skip  # asks for legacy Keras

import contextlib
import dataclasses
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from tests.zoo.runs import Interruption, at_epoch
from tests.zoo.small_network import small_config
from tests.zoo.train_small import use_small_network
from zoo import training
from zoo.epoch_checkpoint import EpochCheckpoint

REPLICAS = 3

# exact but for rounding: no sign of a weight or activation flips between device counts
EXACT = small_config(
    precision="float64",
    synchronized_batch_norm=True,
    optimizer="sgd",
    nesterov=True,
    weight_decay=1e-3,
    decayed_weights=".*/kernel",
    warmup_epochs=1,
    batch_size=48,
    epochs=4,
    steps_per_epoch=6,
)


def distilled(folder):
    """The second of two stages, with a teacher."""
    return dataclasses.replace(
        EXACT,
        initial_weights=str(folder / "exact"),
        teacher={"network": "ResNet20"},
        teacher_weights="untrained",
        epochs=2,
        steps_per_epoch=3,
    )


def restricted(folder):
    """The same with a second pass of restricted images, normalisations both times."""
    restriction = {"layer": "stem_bn", "threshold": 0.9}
    return dataclasses.replace(distilled(folder), restriction=restriction)


HALF = small_config(precision="mixed_float16", batch_size=48, steps_per_epoch=24)
INDIVISIBLE = small_config(batch_size=64)


def use_virtual_cpus():
    (cpu,) = tf.config.list_physical_devices("CPU")
    virtual = [tf.config.LogicalDeviceConfiguration()] * REPLICAS
    tf.config.set_logical_device_configuration(cpu, virtual)
    mirrored = tf.distribute.MirroredStrategy
    names = [f"CPU:{index}" for index in range(REPLICAS)]
    tf.distribute.MirroredStrategy = lambda: mirrored(names)


def run(config, path):
    training.run(config, path, strategy="mirrored", progress="none")


if __name__ == "__main__":
    use_small_network()
    use_virtual_cpus()
    folder = Path(sys.argv[1])
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        Interruption(
            EpochCheckpoint, "on_epoch_end", patch, when=at_epoch(1), after=True
        )
        run(EXACT, folder / "exact")
    run(EXACT, folder / "exact")
    run(distilled(folder), folder / "distilled")
    run(restricted(folder), folder / "restricted")
    run(HALF, folder / "half")
    try:
        run(INDIVISIBLE, folder / "indivisible")
    except ValueError as error:
        print(error)
