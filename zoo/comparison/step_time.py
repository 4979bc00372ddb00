"""Times of a training step, all recipes measured in turns in one process."""

import statistics
import time
from collections.abc import Callable, Mapping

import tensorflow as tf

from zoo.compilation import compiled_for_training, precision_of
from zoo.evaluation import dataset_of
from zoo.train_config import UNTRAINED, TrainConfig

__all__ = ["measure_steps"]

_WARM_UP_STEPS = 3


def _training_step(config: TrainConfig, data_dir: str | None) -> Callable[[], None]:
    """Runs one step of a configuration, on the same batch again and again."""
    if config.teacher:  # its weights do not matter for the time
        config = config.with_settings({"teacher_weights": UNTRAINED})
    tf.keras.utils.set_random_seed(config.seed)
    with precision_of(config):
        model = compiled_for_training(config.build_model(), config)
    batch = dataset_of(config, data_dir).arrays("train", config.batch_size)
    batches = iter(tf.data.Dataset.from_tensors(tuple(batch)).repeat())
    step = model.make_train_function()
    return lambda: step(batches)


def measure_steps(
    configs: Mapping[str, TrainConfig],
    *,
    data_dir: str | None = None,
    seconds: float,
    min_rounds: int = 10,
    steps_per_round: int = 3,
) -> dict[str, float]:
    """How long a step of each recipe takes, with all cores.

    In turns, so that all see the same state of the machine. The batch is at hand:
    reading and augmentation are not measured.

    # Arguments
        configs: Settings by recipe.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
        seconds: So long they take turns, all together.
        min_rounds: How often each has its turn at least.
        steps_per_round: Steps in one turn.

    # Returns
        The median of each recipe, in seconds.
    """
    steps = {name: _training_step(config, data_dir) for name, config in configs.items()}
    for step in steps.values():
        for _ in range(_WARM_UP_STEPS):
            step()
    times: dict[str, list[float]] = {name: [] for name in steps}
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < min_rounds or time.perf_counter() < end:
        for name, step in steps.items():
            for _ in range(steps_per_round):
                start = time.perf_counter()
                step()
                times[name].append(time.perf_counter() - start)
        rounds += 1
    return {name: statistics.median(found) for name, found in times.items()}
