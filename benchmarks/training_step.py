"""Time of one training step of ResNet-20 on 32x32 images, for several methods."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

import zoo

__all__ = ["BATCH", "METHODS", "measure_training_steps"]

METHODS = ("float", "ste_sign", "irnet", "recu")
BATCH = 128
_WARM_UP_STEPS = 3


def _training_step(method: str) -> Callable[[], None]:
    generator = np.random.default_rng(0)
    images = generator.standard_normal((BATCH, 32, 32, 3)).astype(np.float32)
    labels = generator.integers(0, 10, BATCH)
    model = zoo.ResNet20(method)
    model.compile(
        tf.keras.optimizers.SGD(0.1, momentum=0.9),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    step = model.make_train_function()
    return lambda: step(batches)


def measure_training_steps(rounds: int = 30) -> dict[str, float]:
    """Runs one step of each method in turns.

    # Arguments
        rounds: Steps of each method.

    # Returns
        The median of each method, in seconds.
    """
    steps = {method: _training_step(method) for method in METHODS}
    for step in steps.values():
        for _ in range(_WARM_UP_STEPS):
            step()
    seconds: dict[str, list[float]] = {method: [] for method in METHODS}
    for _ in range(rounds):
        for method, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[method].append(time.perf_counter() - start)
    return {method: statistics.median(times) for method, times in seconds.items()}
