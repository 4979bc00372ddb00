"""Datasets that fit in memory: batches are gathered, then augmented as a whole."""

import abc
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from zoo.datasets.image_dataset import AUGMENTATION_SEED, ImageDataset, Shard, Split

__all__ = ["InMemoryDataset"]


class InMemoryDataset(ImageDataset):
    """A dataset whose splits are arrays.

    A subclass loads them in whatever type is small, and says how they become float32:
    `preprocess` for evaluation, `augment` for training.

    # Attributes
        draws_per_image: How many random numbers `augment` uses for each image.
    """

    draws_per_image = 0

    def __init__(self) -> None:
        self._splits: dict[str, Split] | None = None

    @abc.abstractmethod
    def load(self) -> dict[str, Split]:
        """The images of each of the splits as they are kept, and their classes."""

    def preprocess(self, images: tf.Tensor) -> tf.Tensor:
        """Makes float32 images [N, H, W, C] of images as they are kept."""
        return images

    def augment(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Makes float32 images [N, H, W, C] for training, changed at random.

        # Arguments
            images: Images as they are kept, [N, H, W, C].
            draws: Numbers in [0, 1), float32 [N, draws_per_image].
        """
        return self.preprocess(images)

    def size(self, split: str) -> int:
        return len(self._kept(split).labels)

    def arrays(self, split: str, limit: int | None = None) -> Split:
        images, labels = self._kept(split)
        return Split(np.asarray(self.preprocess(images[:limit])), labels[:limit])

    def training_batches(
        self,
        *,
        batch_size: int,
        steps: int,
        seed: int,
        epochs: range,
        shard: Shard = Shard(),
    ) -> tf.data.Dataset:
        self.check_steps(steps, batch_size)
        shape = (steps, shard.count, shard.local_batch_size(batch_size))
        with tf.device("CPU:0"):  # where tf.data works
            images, labels = map(tf.constant, self._kept("train"))

        def batch(chosen: tf.Tensor, draws: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            augmented = self.augment(tf.gather(images, chosen), draws)
            return augmented, tf.gather(labels, chosen)

        def of_shard(values: tf.Tensor) -> tf.Tensor:  # [N, ...] -> [steps, local, ...]
            used = values[: steps * batch_size]
            return tf.reshape(used, (*shape, *values.shape[1:]))[:, shard.index]

        choices = self._choices(len(labels), seed)
        batches = (
            tf.data.Dataset.range(epochs.start, epochs.stop)
            .map(lambda epoch: tuple(map(of_shard, choices(epoch))))
            .flat_map(lambda *values: tf.data.Dataset.from_tensor_slices(values))
            .map(batch, num_parallel_calls=tf.data.AUTOTUNE)
        )
        return batches.prefetch(tf.data.AUTOTUNE)

    def evaluation_batches(self, split: str, *, batch_size: int) -> tf.data.Dataset:
        with tf.device("CPU:0"):
            images = tf.data.Dataset.from_tensor_slices(tuple(self._kept(split)))
        batches = images.batch(batch_size).map(
            lambda images, labels: (self.preprocess(images), labels),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        return batches.prefetch(tf.data.AUTOTUNE)

    def _kept(self, split: str) -> Split:
        self.check_split(split)
        if self._splits is None:
            self._splits = self.load()
        return self._splits[split]

    def _choices(
        self, size: int, seed: int
    ) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
        """A function of the epoch: which images follow each other, and their draws."""

        def choose(epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            order = tf.random.experimental.stateless_shuffle(
                tf.range(size), seed=tf.stack([seed, epoch])
            )
            draws = tf.random.stateless_uniform(
                (size, self.draws_per_image),
                seed=tf.stack([seed + AUGMENTATION_SEED, epoch]),
            )
            return order, draws

        return choose
