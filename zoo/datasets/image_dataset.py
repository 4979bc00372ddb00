"""What training and evaluation ask of a dataset.

The order of training images, and what augmentation does to each of them, follow from
the seed, the epoch and the position in the epoch alone, never from the state of the
process or the number of workers. So a resumed run, and one on several devices, sees the
pixels of an uninterrupted one on a single device.
"""

import abc
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

__all__ = [
    "AUGMENTATION_SEED",
    "DatasetNotPrepared",
    "ImageDataset",
    "SPLITS",
    "Shard",
    "Split",
]

SPLITS = ("train", "validation", "test")

# Added to the seed of a run, which is below 2^31: random numbers of the augmentation
# are others than those of the order.
AUGMENTATION_SEED = 2**32


class DatasetNotPrepared(ValueError):
    """The files of a dataset are not where they were looked for, or damaged."""


@dataclass(frozen=True)
class Shard:
    """Which part of every global batch an input pipeline delivers.

    # Attributes
        index: Which of the contiguous parts, from 0 on.
        count: How many parts there are, one for each worker.

    # Raises
        ValueError: if there is no such part.
    """

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ValueError(
                f"Expected `index` to be in [0, {self.count}), got {self.index}."
            )

    def local_batch_size(self, batch_size: int) -> int:
        """The images of a global batch that fall to this shard.

        # Raises
            ValueError: if the shards cannot be of equal size.
        """
        if batch_size % self.count:
            raise ValueError(
                f"Expected `batch_size` to be a multiple of {self.count}, the number "
                f"of shards, got {batch_size}."
            )
        return batch_size // self.count


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
        """The number of images in a split, whether or not they are there.

        # Raises
            ValueError: if there is no such split.
        """

    @abc.abstractmethod
    def arrays(self, split: str, limit: int | None = None) -> Split:
        """A split as NumPy arrays, preprocessed as for evaluation.

        # Arguments
            split: One of `SPLITS`.
            limit: How many images, from the first on; `None` for all.
        """

    @abc.abstractmethod
    def training_batches(
        self,
        *,
        batch_size: int,
        steps: int,
        seed: int,
        epochs: range,
        shard: Shard = Shard(),
    ) -> tf.data.Dataset:
        """Shuffled, augmented batches, one epoch after the other, all of one size.

        # Arguments
            batch_size: Images in a batch of all shards together.
            steps: Batches in an epoch; what is left over of the images is dropped.
            seed: Together with the number of the epoch it sets order and augmentation.
            epochs: The epochs to go through.
            shard: The part of every batch to deliver.

        # Returns
            Pairs of images, float32 [batch_size / shard.count, H, W, C], and classes,
            int64 [batch_size / shard.count].

        # Raises
            ValueError: if `steps` batches are more than the images, or the shards do
                not divide a batch.
        """

    @abc.abstractmethod
    def evaluation_batches(self, split: str, *, batch_size: int) -> tf.data.Dataset:
        """A split once, in its own order, all of its images.

        # Arguments
            split: One of `SPLITS`.
            batch_size: Images in each batch but the last, which may be smaller.
        """

    def check_prepared(self) -> None:
        """Makes sure that the images can be loaded, without loading them.

        # Raises
            DatasetNotPrepared: if they cannot; the message tells the command to run.
            ImportError: if a library that has them is not installed.
        """

    def check_split(self, split: str) -> None:
        """Makes sure that there is such a split.

        # Raises
            ValueError: if there is not.
        """
        if split not in SPLITS:
            raise ValueError(f"Expected a split out of {list(SPLITS)}, got {split!r}.")

    def check_steps(self, steps: int, batch_size: int) -> None:
        """Makes sure that the training images suffice for an epoch.

        # Raises
            ValueError: if they do not.
        """
        if steps * batch_size > self.size("train"):
            raise ValueError(
                f"Expected `steps` to be at most {self.size('train') // batch_size} "
                f"with batches of {batch_size} images, got {steps}."
            )
