"""What training and evaluation ask of a dataset, and datasets that fit in memory.

The order of training images follows from the seed and the epoch alone, never from the
state of the process, so that a resumed run sees the batches of an uninterrupted one.
"""

import abc
from typing import NamedTuple

import numpy as np
import tensorflow as tf

__all__ = ["ImageDataset", "InMemoryDataset", "SPLITS", "Split"]

SPLITS = ("train", "validation", "test")


class Split(NamedTuple):
    """Normalised images, float32 [N, H, W, C], and their classes, int64 [N]."""

    images: np.ndarray
    labels: np.ndarray


class ImageDataset(abc.ABC):
    """Images of a few classes, in three splits.

    # Attributes
        name: Name in the registry.
        input_shape: Height, width and channels of an image.
        num_classes: Number of classes.
    """

    name: str
    input_shape: tuple[int, int, int]
    num_classes: int

    @abc.abstractmethod
    def size(self, split: str) -> int:
        """The number of images in a split."""

    @abc.abstractmethod
    def arrays(self, split: str) -> Split:
        """A split as NumPy arrays, images normalised as in training."""

    @abc.abstractmethod
    def training_batches(
        self, *, batch_size: int, steps: int, seed: int, epochs: range
    ) -> tf.data.Dataset:
        """Shuffled batches of one epoch after the other, all of the same size.

        # Arguments
            batch_size: Images in a batch.
            steps: Batches in an epoch; what is left over of the images is dropped.
            seed: Together with the number of the epoch it sets the order.
            epochs: The epochs to go through.
        """

    @abc.abstractmethod
    def evaluation_batches(self, split: str, *, batch_size: int) -> tf.data.Dataset:
        """A split once, in its own order, all of its images."""


class InMemoryDataset(ImageDataset):
    """A dataset whose splits are arrays."""

    @abc.abstractmethod
    def load(self) -> dict[str, Split]:
        """The arrays of each of `SPLITS`."""

    def __init__(self) -> None:
        self._splits: dict[str, Split] | None = None

    def arrays(self, split: str) -> Split:
        if split not in SPLITS:
            raise ValueError(f"Expected a split out of {list(SPLITS)}, got {split!r}.")
        if self._splits is None:
            self._splits = self.load()
        return self._splits[split]

    def size(self, split: str) -> int:
        return len(self.arrays(split).labels)

    def training_batches(
        self, *, batch_size: int, steps: int, seed: int, epochs: range
    ) -> tf.data.Dataset:
        images, labels = map(tf.constant, self.arrays("train"))

        def batches_of(epoch: tf.Tensor) -> tf.data.Dataset:
            order = tf.random.experimental.stateless_shuffle(
                tf.range(self.size("train")), seed=tf.stack([seed, epoch])
            )
            return tf.data.Dataset.from_tensor_slices(
                tf.reshape(order[: steps * batch_size], (steps, batch_size))
            )

        indices = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(batches_of)
        batches = indices.map(
            lambda chosen: (tf.gather(images, chosen), tf.gather(labels, chosen)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        return batches.prefetch(tf.data.AUTOTUNE)

    def evaluation_batches(self, split: str, *, batch_size: int) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(self.arrays(split)).batch(batch_size)
