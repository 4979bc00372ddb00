"""The one owner of every schedule: it writes `progress` into all quantizers."""

import logging
import re
from collections import Counter
from typing import Any

import tensorflow as tf

from larq_irnet.quantizers import ScheduledQuantizer

__all__ = ["EstimatorScheduler", "scheduled_quantizers", "set_progress"]

log = logging.getLogger(__name__)


def scheduled_quantizers(model: tf.keras.Model) -> list[ScheduledQuantizer]:
    """All scheduled quantizers of a model, nested models included, each once."""
    return [
        module for module in model.submodules if isinstance(module, ScheduledQuantizer)
    ]


def set_progress(model: tf.keras.Model, value: float) -> None:
    """Tells every scheduled quantizer of a model how much of the training is done.

    For custom training loops; in `fit`, `EstimatorScheduler` calls it.

    # Arguments
        model: Any Keras model.
        value: Share of the training that is done, in [0, 1].

    # Raises
        ValueError: if `value` is outside [0, 1].

    # Example
        >>> import larq as lq
        >>> import larq_irnet as irnet
        >>> model = tf.keras.Sequential(
        ...     [lq.layers.QuantDense(2, input_quantizer="ede_sign", input_shape=(4,))]
        ... )
        >>> for epoch in range(10):
        ...     irnet.callbacks.set_progress(model, epoch / 10)
        ...     # ... one epoch of training steps
        >>> round(float(model.layers[0].input_quantizer.progress), 2)
        0.9
    """
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"Expected progress within [0, 1], got {value!r}.")
    for quantizer in scheduled_quantizers(model):
        quantizer.progress.assign(value)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _schedule_logs(quantizers: list[ScheduledQuantizer]) -> dict[str, float]:
    """The constants by symbol; by class and symbol where quantizers disagree."""
    found: dict[str, dict[tuple[str, float], None]] = {}  # symbol -> distinct values
    for quantizer in quantizers:
        label = _snake_case(type(quantizer).__name__)
        for symbol, value in quantizer.schedule().items():
            found.setdefault(symbol, {})[label, float(value)] = None
    logs = {}
    for symbol, labelled in found.items():
        if len({value for _, value in labelled}) == 1:
            logs[symbol] = next(iter(labelled))[1]
            continue
        seen: Counter[str] = Counter()
        for label, value in labelled:
            seen[label] += 1
            number = f"_{seen[label]}" if seen[label] > 1 else ""
            logs[f"{label}_{symbol}{number}"] = value
    return logs


class EstimatorScheduler(tf.keras.callbacks.Callback):
    r"""Moves the surrogate gradients of a model along their schedules.

    Writes \\(progress = epoch / epochs\\) (or batch / batches) into every scheduled
    quantizer at the beginning of each epoch (or batch), and puts the constants that
    follow from it, such as \\(t\\) and \\(k\\), into the logs at the end of the epoch.
    It keeps no state: training resumed with `initial_epoch` goes on with the right
    value. Place it in front of callbacks that read the logs.

    # Arguments
        total_epochs: Length of the whole schedule in epochs; `None` takes the `epochs`
            given to `fit`. After it, `progress` stays 1.
        update_freq: "epoch" or "batch". The latter needs a known number of steps per
            epoch.

    # Raises
        ValueError: for an unknown `update_freq`, a `total_epochs` that is not
            positive, or "batch" with an unknown number of steps.

    # Example
        >>> import larq_irnet as irnet
        >>> callback = irnet.callbacks.EstimatorScheduler(update_freq="epoch")

        `model.fit(x, y, epochs=40, callbacks=[callback])`

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Eq. 18
    """

    def __init__(self, total_epochs: int | None = None, update_freq: str = "epoch"):
        super().__init__()
        if update_freq not in ("epoch", "batch"):
            raise ValueError(
                "Expected `update_freq` to be 'epoch' or 'batch', got "
                f"{update_freq!r}."
            )
        if total_epochs is not None and total_epochs < 1:
            raise ValueError(
                f"Expected `total_epochs` to be at least 1 or None, got {total_epochs}."
            )
        self.total_epochs = total_epochs
        self.update_freq = update_freq
        self._epoch = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not scheduled_quantizers(self.model):
            log.warning(
                "EstimatorScheduler found no scheduled quantizer in model '%s' and has "
                "nothing to do.",
                self.model.name,
            )
        if self.update_freq == "batch" and self.params.get("steps") is None:
            raise ValueError(
                "Expected a known number of steps per epoch for update_freq='batch', "
                "got None. Pass `steps_per_epoch` to `fit`."
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch
        self._write(epoch)

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.update_freq == "batch":
            self._write(self._epoch + batch / self.params["steps"])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            logs.update(_schedule_logs(scheduled_quantizers(self.model)))

    def _write(self, epochs_done: float) -> None:
        total_epochs = self.total_epochs or self.params["epochs"]
        set_progress(self.model, min(epochs_done / total_epochs, 1.0))
