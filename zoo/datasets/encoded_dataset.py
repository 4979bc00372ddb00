"""Datasets of JPEG images: read, decoded and augmented one by one, in parallel."""

import abc
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from zoo.datasets.color_jitter import (
    COLOR_JITTER_DRAWS,
    ColorJitter,
    checked_jitter,
)
from zoo.datasets.image_dataset import AUGMENTATION_SEED, ImageDataset, Shard, Split
from zoo.datasets.random_resized_crop import (
    DEFAULT_SCALE,
    RANDOM_WINDOW_DRAWS,
    checked_scale,
    decode_window,
    random_window,
)
from zoo.datasets.statistics import channel_statistics

__all__ = ["EncodedDataset"]

_INPUT_SIZE = 224
_SHORTER_SIDE = 256  # before the middle is cut out
_WHITE = 255.0


def _with_seeds(
    images: tf.data.Dataset, seed: int, epoch: tf.Tensor
) -> tf.data.Dataset:
    """Puts a seed of its own, int64 [2], in the place of each image's position."""

    def with_seed(position: tf.Tensor, pair: tuple) -> tuple:
        return *pair, tf.stack([seed + AUGMENTATION_SEED, epoch * 2**32 + position])

    return images.map(with_seed)


class EncodedDataset(ImageDataset):
    """JPEG images of any size, which a network sees as 224x224 pixels.

    Training images are random parts (`random_window`), flipped every other time, with
    changed colours (`ColorJitter`). For evaluation the shorter side is scaled to 256
    pixels and the middle is cut out. All scaling is bilinear with antialiasing, as in
    PIL; pixels are not rounded to integers after it, hence up to one grey level off.

    # Arguments
        statistics: Name of the means and deviations to normalise with.
        scale: Bounds of the area of the random part, see `random_window`.
        jitter: How far colours are changed, the four numbers of `ColorJitter`; `None`
            for not at all.

    # Raises
        ValueError: for a scale or jitter out of its range.
    """

    input_shape = (_INPUT_SIZE, _INPUT_SIZE, 3)

    def __init__(
        self,
        *,
        statistics: str | None = None,
        scale: Sequence[float] = DEFAULT_SCALE,
        jitter: Sequence[float] | None = ColorJitter(),
    ):
        self._statistics = channel_statistics(statistics or "imagenet")
        self._scale = checked_scale(scale)
        self._jitter = None if jitter is None else checked_jitter(jitter)

    @abc.abstractmethod
    def encoded(self, split: str) -> tf.data.Dataset:
        """Pairs of JPEG images and classes, in the order of the split."""

    @abc.abstractmethod
    def encoded_epochs(self, seed: int) -> Callable[[tf.Tensor], tf.data.Dataset]:
        """The same pairs for training, in an order that follows from seed and epoch.

        # Returns
            A function of the epoch, int64, that tf.data calls within a graph.
        """

    def preprocess(self, encoded: tf.Tensor) -> tf.Tensor:
        """Decodes an image as for evaluation; float32 [224, 224, 3]."""
        pixels = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
        size = tf.shape(pixels)[:2]
        size = size * _SHORTER_SIDE // tf.reduce_min(size)  # rounded down
        pixels = tf.image.resize(pixels, size, antialias=True)
        start = tf.round((size - _INPUT_SIZE) / 2)  # halves to even
        row, column = tf.unstack(tf.cast(start, tf.int32))
        pixels = pixels[row : row + _INPUT_SIZE, column : column + _INPUT_SIZE]
        pixels = tf.ensure_shape(pixels, self.input_shape)
        return self._statistics.normalise(pixels / _WHITE)

    def augment(self, encoded: tf.Tensor, image_seed: tf.Tensor) -> tf.Tensor:
        """Decodes an image as for training; float32 [224, 224, 3].

        # Arguments
            encoded: A JPEG image, a scalar string.
            image_seed: Sets all that is random, int64 [2].
        """
        counts = (RANDOM_WINDOW_DRAWS, COLOR_JITTER_DRAWS, 1)
        draws = tf.random.stateless_uniform((sum(counts),), image_seed)
        window_draws, jitter_draws, flip_draw = tf.split(draws, counts)
        height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(encoded))
        window = random_window(height, width, window_draws, scale=self._scale)
        pixels = decode_window(encoded, window, size=_INPUT_SIZE) / _WHITE
        pixels = tf.cond(
            flip_draw[0] < 0.5, lambda: tf.reverse(pixels, axis=[1]), lambda: pixels
        )
        if self._jitter is not None:
            pixels = self._jitter.apply(pixels, jitter_draws)
        return self._statistics.normalise(pixels)

    def arrays(self, split: str, limit: int | None = None) -> Split:
        self.check_split(split)
        size = self.size(split)
        count = size if limit is None else min(limit, size)
        arrays = Split(
            np.empty((count, *self.input_shape), np.float32), np.empty(count, np.int64)
        )
        pairs = self._preprocessed(split).take(count)
        for index, (image, label) in enumerate(pairs.as_numpy_iterator()):
            arrays.images[index], arrays.labels[index] = image, label
        return arrays

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
        local_size = shard.local_batch_size(batch_size)
        images_of = self.encoded_epochs(seed)

        def is_in_shard(position: tf.Tensor, _: tuple) -> tf.Tensor:
            return position // local_size % shard.count == shard.index

        def augmented(
            encoded: tf.Tensor, label: tf.Tensor, image_seed: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            return self.augment(encoded, image_seed), label

        @tf.autograph.experimental.do_not_convert  # readers of files are not for it
        def seeded_images_of(epoch: tf.Tensor) -> tf.data.Dataset:
            images = images_of(epoch).take(steps * batch_size).enumerate()
            return _with_seeds(images.filter(is_in_shard), seed, epoch)

        batches = (
            tf.data.Dataset.range(epochs.start, epochs.stop)
            .flat_map(seeded_images_of)
            .map(augmented, num_parallel_calls=tf.data.AUTOTUNE)
            .batch(local_size, drop_remainder=True)
        )
        return batches.prefetch(tf.data.AUTOTUNE)

    def evaluation_batches(self, split: str, *, batch_size: int) -> tf.data.Dataset:
        batches = self._preprocessed(split).batch(batch_size)
        return batches.prefetch(tf.data.AUTOTUNE)

    def _preprocessed(self, split: str) -> tf.data.Dataset:
        return self.encoded(split).map(
            lambda encoded, label: (self.preprocess(encoded), label),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
