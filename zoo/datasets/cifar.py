"""CIFAR-10 and CIFAR-100: 60,000 small colour images, kept in memory as bytes."""

import tensorflow as tf

from zoo.datasets.crop_and_flip import CROP_AND_FLIP_DRAWS, crop_and_flip
from zoo.datasets.image_dataset import SPLITS, Split
from zoo.datasets.in_memory_dataset import InMemoryDataset
from zoo.datasets.prepared import PreparedDataset
from zoo.datasets.statistics import channel_statistics

__all__ = ["Cifar10", "Cifar100", "CifarImages"]

_WHITE = 255.0  # largest pixel value


class CifarImages(InMemoryDataset):
    """32x32 colour images as bytes, cropped and flipped in training.

    Training images are padded with four black pixels on each side, cropped back to
    32x32 and flipped every other time, then normalised. Evaluation only normalises.

    # Arguments
        statistics: Name of the means and deviations to normalise with.
    """

    input_shape = (32, 32, 3)
    draws_per_image = CROP_AND_FLIP_DRAWS

    def __init__(self, *, statistics: str | None = None):
        super().__init__()
        self._statistics = channel_statistics(statistics or "imagenet")

    def preprocess(self, images: tf.Tensor) -> tf.Tensor:
        return self._statistics.normalise(tf.cast(images, tf.float32) / _WHITE)

    def augment(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        return self.preprocess(crop_and_flip(images, draws))


class _PreparedCifar(CifarImages):
    """CIFAR as tensorflow-datasets has prepared it."""

    published_sizes = {"train": 50_000, "test": 10_000}

    def __init__(
        self, *, data_dir: str | None = None, statistics: str | None = None
    ) -> None:
        super().__init__(statistics=statistics)
        self._prepared = PreparedDataset(
            name=self.name,
            data_dir=data_dir,
            sizes=self.published_sizes,
            evaluation_split="test",
        )

    def check_prepared(self) -> None:
        self._prepared.open()

    def size(self, split: str) -> int:
        self.check_split(split)
        return self._prepared.size(split)

    def load(self) -> dict[str, Split]:
        builder = self._prepared.open()
        try:
            read = builder.as_dataset(batch_size=-1)
        except tf.errors.OpError as error:
            raise self._prepared.not_prepared("found damaged files") from error
        published = {
            split: Split(images["image"].numpy(), images["label"].numpy())
            for split, images in read.items()
        }
        return {
            split: published[self._prepared.published_split(split)] for split in SPLITS
        }


class Cifar10(_PreparedCifar):
    """CIFAR-10: 50,000 images of ten classes to train on, 10,000 to evaluate.

    "validation" and "test" are both the published test images: the papers choose their
    best epoch on them, `zoo.training` never chooses and reports the last epoch.

    # Arguments
        data_dir: Where tensorflow-datasets has put it; `None` for its default place.
        statistics: "imagenet" (the default, as the authors of IR-Net do with ResNet-20
            and VGG-Small) or "cifar10" (as they do with ResNet-18).

    # Example
        >>> cifar10 = Cifar10()  # needs no data yet
        >>> cifar10.size("train"), cifar10.input_shape
        (50000, (32, 32, 3))

    # References
        - [Learning multiple layers of features from tiny
            images](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf)
    """

    name = "cifar10"
    num_classes = 10


class Cifar100(_PreparedCifar):
    """CIFAR-100: as `Cifar10`, with a hundred classes."""

    name = "cifar100"
    num_classes = 100
