"""What information restriction keeps of some images, as the training goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.restriction import RestrictedTraining

__all__ = ["RestrictionMonitor", "RestrictionSnapshot"]

_QUARTERS = 4


@dataclass(frozen=True, eq=False)
class RestrictionSnapshot:
    """What a network attends to at the end of one epoch.

    # Attributes
        epoch: Its number, from 0 on.
        attention: How strongly it answers to each pixel, [N, H, W].
        kept: Which pixels are kept, [N, H, W].
    """

    epoch: int
    attention: np.ndarray
    kept: np.ndarray


def _first_quarters_and_last(epochs: int) -> set[int]:
    quarters = {epochs * quarter // _QUARTERS for quarter in range(_QUARTERS)}
    return quarters | {epochs - 1}


class RestrictionMonitor(tf.keras.callbacks.Callback):
    """Looks at the masks of the same few images at the end of some epochs.

    The network is in inference mode, so that nothing of it changes.

    # Arguments
        images: [N, H, W, C], as the network takes them.
        on_snapshot: Called with a `RestrictionSnapshot`; of several workers, by the
            chief only.
        epochs: Numbers of the epochs, from 0 on; `None` for the first of each quarter
            of the training and the last.

    # Raises
        ValueError: for images of another rank; at the beginning of the training, unless
            the model is a `larq_irnet.restriction.RestrictedTraining`.

    # Example
        >>> network = tf.keras.Sequential(
        ...     [
        ...         tf.keras.Input((8, 8, 1)),
        ...         tf.keras.layers.Conv2D(4, 3, name="features"),
        ...         tf.keras.layers.Flatten(),
        ...     ]
        ... )
        >>> model = RestrictedTraining(network, "features")
        >>> model.compile("sgd", "mse")
        >>> images, snapshots = np.ones((8, 8, 8, 1), np.float32), []
        >>> monitor = RestrictionMonitor(images[:2], on_snapshot=snapshots.append)
        >>> history = model.fit(
        ...     images, np.ones((8, 144)), epochs=5, callbacks=[monitor], verbose=0
        ... )
        >>> [snapshot.epoch for snapshot in snapshots]
        [0, 1, 2, 3, 4]
        >>> snapshots[0].kept.shape
        (2, 8, 8)
    """

    def __init__(
        self,
        images: Any,
        *,
        on_snapshot: Callable[[RestrictionSnapshot], None],
        epochs: Sequence[int] | None = None,
    ):
        super().__init__()
        self.images = np.asarray(images)
        if self.images.ndim != 4:
            raise ValueError(
                "Expected `images` to be [N, H, W, C], got the shape "
                f"{self.images.shape}."
            )
        self.on_snapshot = on_snapshot
        self.epochs = epochs

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not isinstance(self.model, RestrictedTraining):
            raise ValueError(
                "Expected a RestrictedTraining to be trained with RestrictionMonitor, "
                f"got {type(self.model).__name__}, which has no masks."
            )
        if self.epochs is None:
            self._chosen = _first_quarters_and_last(self.params["epochs"])
        else:
            self._chosen = set(self.epochs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch not in self._chosen:
            return
        # by all workers: the averages of normalisations are those of all
        attention, mask = self.model.attend(self.images)
        if self.model.distribute_strategy.extended.should_checkpoint:
            self.on_snapshot(
                RestrictionSnapshot(epoch, attention.numpy(), mask.numpy()[..., 0])
            )
