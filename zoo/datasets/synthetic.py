"""Twins of the published datasets that need no files, for trials and for tests.

A few seeded images per split with the shapes, classes and augmentation of the original.
Each class has a colour of its own, so that a network can learn something. Accuracies on
them say nothing about the original.
"""

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from zoo.datasets.cifar import CifarImages
from zoo.datasets.color_jitter import ColorJitter
from zoo.datasets.encoded_dataset import EncodedDataset
from zoo.datasets.image_dataset import SPLITS, Split
from zoo.datasets.random_resized_crop import DEFAULT_SCALE

__all__ = ["SyntheticCifar10", "SyntheticCifar100", "SyntheticImagenet2012"]

_SIZES = {"train": 64, "validation": 32, "test": 32}
_LARGE_SIZES = {"train": 64, "validation": 10, "test": 10}  # of larger images
_PRESENT_CLASSES = 10  # that have images
_NOISE = 32.0  # deviation around the colour of the class
_HEIGHTS_AND_WIDTHS = ((192, 256), (256, 192), (224, 224))


def _labels(size: int, num_classes: int) -> np.ndarray:
    """As many of each class that is present, these spread over all classes."""
    step = num_classes // _PRESENT_CLASSES
    return np.arange(size, dtype=np.int64) % _PRESENT_CLASSES * step


def _image(split: str, index: int, label: int, height: int, width: int) -> np.ndarray:
    colour = np.random.default_rng(label).uniform(_NOISE, 255 - _NOISE, 3)
    generator = np.random.default_rng([SPLITS.index(split), index])
    noise = generator.normal(0.0, _NOISE, (height, width, 3))
    return np.clip(colour + noise, 0, 255).astype(np.uint8)


@functools.cache
def _jpeg_images(split: str, labels: tuple[int, ...]) -> list[bytes]:
    shapes = itertools.cycle(_HEIGHTS_AND_WIDTHS)
    return [
        tf.io.encode_jpeg(_image(split, index, label, *shape)).numpy()
        for (index, label), shape in zip(enumerate(labels), shapes)
    ]


class _SyntheticCifar(CifarImages):
    def __init__(
        self, *, data_dir: str | None = None, statistics: str | None = None
    ) -> None:
        super().__init__(statistics=statistics)

    def size(self, split: str) -> int:
        self.check_split(split)
        return _SIZES[split]

    def load(self) -> dict[str, Split]:
        return {split: self._split(split) for split in SPLITS}

    def _split(self, split: str) -> Split:
        labels = _labels(self.size(split), self.num_classes)
        height, width, _ = self.input_shape
        images = [
            _image(split, index, label, height, width)
            for index, label in enumerate(labels)
        ]
        return Split(np.stack(images), labels)


class SyntheticCifar10(_SyntheticCifar):
    """The twin of `Cifar10`.

    # Arguments
        data_dir: Not used: the images are drawn.
        statistics: As for `Cifar10`.

    # Example
        >>> dataset = SyntheticCifar10()
        >>> [dataset.size(split) for split in ("train", "validation", "test")]
        [64, 32, 32]
    """

    name = "synthetic_cifar10"
    num_classes = 10


class SyntheticCifar100(_SyntheticCifar):
    """The twin of `Cifar100`; see `SyntheticCifar10`."""

    name = "synthetic_cifar100"
    num_classes = 100


class SyntheticImagenet2012(EncodedDataset):
    """The twin of `Imagenet2012`: JPEG images of several sizes, in memory.

    # Arguments
        data_dir: Not used: the images are drawn.
        statistics: As for `Imagenet2012`.
        scale: As for `Imagenet2012`.
        jitter: As for `Imagenet2012`.
    """

    name = "synthetic_imagenet2012"
    num_classes = 1000

    def __init__(
        self,
        *,
        data_dir: str | None = None,
        statistics: str | None = None,
        scale: Sequence[float] = DEFAULT_SCALE,
        jitter: Sequence[float] | None = ColorJitter(),
    ) -> None:
        super().__init__(statistics=statistics, scale=scale, jitter=jitter)

    def size(self, split: str) -> int:
        self.check_split(split)
        return _LARGE_SIZES[split]

    def encoded(self, split: str) -> tf.data.Dataset:
        self.check_split(split)
        return tf.data.Dataset.from_tensor_slices(self._pairs(split))

    def encoded_epochs(self, seed: int) -> Callable[[tf.Tensor], tf.data.Dataset]:
        pairs = self._pairs("train")

        def images_of(epoch: tf.Tensor) -> tf.data.Dataset:
            order = tf.random.experimental.stateless_shuffle(
                tf.range(self.size("train")), seed=tf.stack([seed, epoch])
            )
            return tf.data.Dataset.from_tensor_slices(
                tuple(tf.gather(values, order) for values in pairs)
            )

        return images_of

    def _pairs(self, split: str) -> tuple[tf.Tensor, tf.Tensor]:
        labels = _labels(self.size(split), self.num_classes)
        return tf.constant(_jpeg_images(split, tuple(labels))), tf.constant(labels)
