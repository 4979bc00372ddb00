"""What the binarization monitor adds to an epoch of training."""

import functools
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

import larq_irnet as irnet
import zoo

__all__ = ["MonitorCost", "measure_monitor"]

_CLASSES_FROM_LOGITS = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
_LOOKED_AT = 64  # images
_TIMED_STEPS = 20


@dataclass(frozen=True)
class MonitorCost:
    """Seconds of one run.

    # Attributes
        epoch: One epoch without monitor: steps times the median of a step.
        figures: What the monitor adds to every epoch, the median.
        slow_figures: What it adds once in `batch_epochs`, everything included.
        first: The same the first time, when graphs are traced.
        batch_epochs: How often that is, by default.
    """

    epoch: float
    figures: float
    slow_figures: float
    first: float
    batch_epochs: int

    @property
    def per_epoch(self) -> float:
        """Seconds that the monitor adds to an epoch on average."""
        rest = self.batch_epochs - 1
        return (self.slow_figures + rest * self.figures) / self.batch_epochs

    @property
    def share(self) -> float:
        """Of the time of an epoch."""
        return self.per_epoch / self.epoch


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def measure_monitor(
    dataset: str, *, batch_size: int, method: str = "irnet", rounds: int = 3
) -> MonitorCost:
    """Times the monitor beside the steps of ResNet-20 on a data set, in turns.

    All metrics are on, with TensorBoard's file, histograms, images and the CSV file.

    # Arguments
        dataset: One of `zoo.datasets.names()`.
        batch_size: Images of a training step.
        method: One of `larq_irnet.methods.names()`.
        rounds: How often everything is timed.
    """
    images = zoo.datasets.get(dataset)
    model = zoo.ResNet20(method, input_shape=images.input_shape, pad_values=1.0)
    model.compile(tf.keras.optimizers.SGD(0.1, momentum=0.9), _CLASSES_FROM_LOGITS)
    steps = images.size("train") // batch_size
    batch = images.arrays("train", batch_size)
    batches = iter(tf.data.Dataset.from_tensors(tuple(batch)).repeat())
    step = model.make_train_function()
    step(batches)

    with tempfile.TemporaryDirectory() as folder:
        looked_at = images.arrays("validation", _LOOKED_AT)
        monitor = irnet.callbacks.BinarizationMonitor(
            inputs=looked_at.images,
            labels=looked_at.labels,
            log_dir=folder,
            csv_path=f"{folder}/figures.csv",
        )
        monitor.set_model(model)
        monitor.on_train_begin()
        monitor.on_epoch_begin(0)
        first = _seconds(lambda: monitor.on_epoch_end(0, {}))
        times: dict[str, list[float]] = {"step": [], "figures": [], "slow": []}
        for number in range(1, rounds + 1):
            for _ in range(_TIMED_STEPS):
                times["step"].append(_seconds(lambda: step(batches)))
            slow = number * monitor.batch_epochs
            for name, epoch in ("figures", slow - 1), ("slow", slow):
                end_of_epoch = functools.partial(monitor.on_epoch_end, epoch, {})
                seconds = _seconds(end_of_epoch)
                times[name].append(seconds)
        monitor.close()
    median = {name: statistics.median(values) for name, values in times.items()}
    return MonitorCost(
        epoch=steps * median["step"],
        figures=median["figures"],
        slow_figures=median["slow"],
        first=first,
        batch_epochs=monitor.batch_epochs,
    )
