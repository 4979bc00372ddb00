"""Training that has diverged stops at once."""

import math
from typing import Any

import tensorflow as tf

__all__ = ["StopOnNonFiniteLoss", "TrainingDiverged"]


class TrainingDiverged(RuntimeError):
    """The loss became NaN or infinite."""


class StopOnNonFiniteLoss(tf.keras.callbacks.Callback):
    """Stops the training at the first step whose loss is NaN or infinite.

    # Raises
        TrainingDiverged: from within `fit`; checkpoints of earlier epochs stay.
    """

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss became {loss} in epoch {self._epoch + 1}, step {batch + 1}. "
                "Train with a lower learning rate, in a new workdir."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("val_loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The validation loss became {loss} after epoch {epoch + 1}. "
                "Train with a lower learning rate, in a new workdir."
            )
