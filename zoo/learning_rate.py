"""Learning rates of the published recipes, as a function of the training step."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from zoo.train_config import TrainConfig

__all__ = ["LearningRate", "learning_rate_for"]

_DECAY_FACTOR = 0.1


@tf.keras.utils.register_keras_serializable(package="zoo")
class LearningRate(tf.keras.optimizers.schedules.LearningRateSchedule):
    r"""Linear warm-up, then cosine, steps or a constant.

    In step \\(i\\) of epoch \\(e\\) of \\(N\\), with the highest rate \\(\eta\\):

    \\[
    \eta_{cosine} = \frac{\eta}{2} \left(1 + \cos\frac{\pi e}{N}\right), \qquad
    \eta_{step} = \eta \cdot 0.1^{\text{number of decay epochs until } i}
    \\]

    and during the warm-up \\(\eta_0 + (\eta - \eta_0) i / warmup\_steps\\). The warm-up
    of "warmup_cosine" goes epoch by epoch, as the cosine that follows: if it takes
    \\(W\\) epochs, then with \\(m = \max(W - 1, 0)\\)

    \\[
    \eta_{warmup\_cosine} = \begin{cases}
      \eta (e + 1) / W & e < m \\\
      \frac{\eta}{2} \left(1 + \cos\frac{\pi (e - m)}{N - m}\right) & \text{else}
    \end{cases}
    \\]

    which reaches \\(\eta\\) in the last of \\(W\\) epochs, and stays just below where
    \\(W\\) is not whole; one epoch of warm-up, or less, is none. All depend on the
    number of the step only, so a resumed run goes on with the right value.

    # Arguments
        peak: \\(\eta\\).
        schedule: "cosine", "warmup_cosine", "step" or "constant".
        epochs: \\(N\\).
        steps_per_epoch: Steps in an epoch.
        warmup_steps: Length of the warm-up.
        warmup_start: \\(\eta_0\\), not of "warmup_cosine".
        decay_steps: The steps at which "step" multiplies the rate by 0.1.

    # Example
        >>> rate = LearningRate(0.1, "cosine", epochs=2, steps_per_epoch=10)
        >>> [round(float(rate(step)), 3) for step in (0, 9, 10)]
        [0.1, 0.1, 0.05]
    """

    def __init__(
        self,
        peak: float,
        schedule: str,
        *,
        epochs: int,
        steps_per_epoch: int,
        warmup_steps: int = 0,
        warmup_start: float = 0.0,
        decay_steps: tuple[int, ...] = (),
    ):
        self.peak = peak
        self.schedule = schedule
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.warmup_steps = warmup_steps
        self.warmup_start = warmup_start
        self.decay_steps = tuple(decay_steps)

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        step = tf.cast(step, tf.float64)
        if self.schedule == "warmup_cosine":
            rate = self._warmup_cosine(self._epoch(step))
        elif self.warmup_steps:
            slope = (self.peak - self.warmup_start) / self.warmup_steps
            warming = self.warmup_start + slope * step
            rate = tf.where(
                step < self.warmup_steps, warming, self._after_warm_up(step)
            )
        else:
            rate = self._after_warm_up(step)
        return tf.cast(rate, tf.keras.backend.floatx())

    def _epoch(self, step: tf.Tensor) -> tf.Tensor:
        return tf.floor(step / self.steps_per_epoch)

    def _cosine(self, epoch: tf.Tensor, epochs: float) -> tf.Tensor:
        return self.peak / 2 * (1 + tf.cos(math.pi * epoch / epochs))

    def _warmup_cosine(self, epoch: tf.Tensor) -> tf.Tensor:
        warmup_epochs = self.warmup_steps / self.steps_per_epoch
        origin = max(warmup_epochs - 1, 0.0)
        rate = self._cosine(epoch - origin, self.epochs - origin)
        if origin:
            warming = self.peak * (epoch + 1) / warmup_epochs
            rate = tf.where(epoch < origin, warming, rate)
        return rate

    def _after_warm_up(self, step: tf.Tensor) -> tf.Tensor:
        if self.schedule == "cosine":
            return self._cosine(self._epoch(step), self.epochs)
        reached = [tf.cast(step >= decay, tf.float64) for decay in self.decay_steps]
        decays = tf.add_n([tf.zeros_like(step), *reached])
        return self.peak * tf.pow(tf.constant(_DECAY_FACTOR, tf.float64), decays)

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "schedule": self.schedule,
            "epochs": self.epochs,
            "steps_per_epoch": self.steps_per_epoch,
            "warmup_steps": self.warmup_steps,
            "warmup_start": self.warmup_start,
            "decay_steps": list(self.decay_steps),
        }


def learning_rate_for(config: TrainConfig) -> LearningRate:
    """The learning rate of a run."""
    return LearningRate(
        config.learning_rate,
        config.learning_rate_schedule,
        epochs=config.epochs,
        steps_per_epoch=config.steps,
        warmup_steps=round(config.warmup_epochs * config.steps),
        warmup_start=config.warmup_learning_rate,
        decay_steps=tuple(round(epoch * config.steps) for epoch in config.decay_epochs),
    )
