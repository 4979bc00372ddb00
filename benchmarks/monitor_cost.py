"""What the binarization monitor adds to an epoch of training."""

import functools
import math
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
    """Seconds of one run, and how often by default the monitor takes which.

    # Attributes
        epoch: One epoch without monitor: steps times the median of a step.
        first_step: The first step of the training, with its tracing.
        first: What the monitor adds to the first epoch, when its graphs are traced.
        weights: What it adds to every epoch, the median.
        batch: What it adds in every `batch_epochs`, without the gradient's cosine.
        cosine: What that adds to it in every `cosine_epochs`.
        batch_epochs: Default of the monitor.
        cosine_epochs: The same.
    """

    epoch: float
    first_step: float
    first: float
    weights: float
    batch: float
    cosine: float
    batch_epochs: int
    cosine_epochs: int

    @property
    def per_epoch(self) -> float:
        """Seconds that the monitor adds to an epoch on average, after the first."""
        slow = (self.batch - self.weights) / self.batch_epochs
        return self.weights + slow + self.cosine / self.cosine_epochs

    @property
    def share(self) -> float:
        """Of the time of an epoch."""
        return self.per_epoch / self.epoch


def _seconds(act: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    act()
    return clock() - start


def _compiled(images: zoo.datasets.ImageDataset, method: str) -> tf.keras.Model:
    model = zoo.ResNet20(method, input_shape=images.input_shape, pad_values=1.0)
    model.compile(tf.keras.optimizers.SGD(0.1, momentum=0.9), _CLASSES_FROM_LOGITS)
    return model


def _monitor(
    images: zoo.datasets.ImageDataset, folder: str
) -> irnet.callbacks.BinarizationMonitor:
    """With everything on: TensorBoard, histograms, pictures, and the CSV file."""
    looked_at = images.arrays("validation", _LOOKED_AT)
    return irnet.callbacks.BinarizationMonitor(
        inputs=looked_at.images,
        labels=looked_at.labels,
        log_dir=folder,
        csv_path=f"{folder}/figures.csv",
    )


def measure_monitor(
    dataset: str,
    *,
    batch_size: int,
    method: str = "irnet",
    rounds: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> MonitorCost:
    """Times the monitor beside the steps of ResNet-20 on a data set, in turns.

    All metrics are on, with TensorBoard's file, histograms, images and the CSV file.

    # Arguments
        dataset: One of `zoo.datasets.names()`.
        batch_size: Images of a training step.
        method: One of `larq_irnet.methods.names()`.
        rounds: How often everything is timed.
        clock: Tells seconds. On a machine that others use as well
            `time.process_time` is steadier; it counts those of all threads, so a step
            that is spread over cores counts for more than it takes.
    """
    seconds = functools.partial(_seconds, clock=clock)
    images = zoo.datasets.get(dataset)
    model = _compiled(images, method)
    batch = images.arrays("train", batch_size)
    batches = iter(tf.data.Dataset.from_tensors(tuple(batch)).repeat())
    step = functools.partial(model.make_train_function(), batches)
    first_step = seconds(step)
    with tempfile.TemporaryDirectory() as folder:
        monitor = _monitor(images, folder)
        monitor.set_model(model)
        first = seconds(monitor.on_train_begin)
        monitor.on_epoch_begin(0)
        first += seconds(functools.partial(monitor.on_epoch_end, 0, {}))
        batch_epochs, cosine_epochs = monitor.batch_epochs, monitor.cosine_epochs
        seldom = math.lcm(batch_epochs, cosine_epochs)
        times: dict[str, list[float]] = {}
        for number in range(1, rounds + 1):
            steps = [seconds(step) for _ in range(_TIMED_STEPS)]
            times.setdefault("step", []).extend(steps)
            last = number * seldom
            for name, epochs in {
                "weights": range(last - batch_epochs + 1, last),
                "batch": [last - batch_epochs],
                "all": [last],
            }.items():
                for epoch in epochs:
                    end_of_epoch = functools.partial(monitor.on_epoch_end, epoch, {})
                    times.setdefault(name, []).append(seconds(end_of_epoch))
        monitor.close()
    median = {name: statistics.median(values) for name, values in times.items()}
    return MonitorCost(
        epoch=images.size("train") // batch_size * median["step"],
        first_step=first_step,
        first=first,
        weights=median["weights"],
        batch=median["batch"],
        cosine=median["all"] - median["batch"],
        batch_epochs=batch_epochs,
        cosine_epochs=cosine_epochs,
    )
