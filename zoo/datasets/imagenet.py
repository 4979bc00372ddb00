"""ImageNet's 1.3 million photographs, read from the disk all the time."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from zoo.datasets.color_jitter import ColorJitter
from zoo.datasets.encoded_dataset import EncodedDataset
from zoo.datasets.prepared import PreparedDataset
from zoo.datasets.random_resized_crop import DEFAULT_SCALE

__all__ = ["Imagenet2012"]

_SHUFFLED_IMAGES = 10_000  # held in memory, about 1.1 GB
_NEEDS = (
    "Before that, put ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar, from "
    "image-net.org, into {data_dir}/downloads/manual."
)


def _read(
    builder: Any, published_split: str, *, shuffle_seed: tf.Tensor | None = None
) -> tf.data.Dataset:
    import tensorflow_datasets as tfds

    return builder.as_dataset(
        split=published_split,
        shuffle_files=shuffle_seed is not None,
        decoders={"image": tfds.decode.SkipDecoding()},
        read_config=tfds.ReadConfig(shuffle_seed=shuffle_seed, try_autocache=False),
        as_supervised=True,
    )


class Imagenet2012(EncodedDataset):
    """ImageNet of the challenge of 2012: 1,281,167 images of a thousand classes.

    "validation" and "test" are both the 50,000 published validation images: the classes
    of the test images are not public.

    The order of an epoch is that of the files, which are shuffled, 16 at a time, and
    then of a buffer of 10,000 images. Each shard reads all files and decodes its images
    only: so all see the same order, at the cost of some reading.

    # Arguments
        data_dir: Where tensorflow-datasets has put it; `None` for its default place.
        statistics: "imagenet" (the default) or "cifar10".
        scale: As for `EncodedDataset`.
        jitter: As for `EncodedDataset`.

    # Example
        >>> imagenet = Imagenet2012()  # needs no data yet
        >>> imagenet.size("train"), imagenet.input_shape
        (1281167, (224, 224, 3))

    # References
        - [ImageNet large scale visual recognition
            challenge](https://arxiv.org/abs/1409.0575)
    """

    name = "imagenet2012"
    num_classes = 1000

    published_sizes = {"train": 1_281_167, "validation": 50_000}

    def __init__(
        self,
        *,
        data_dir: str | None = None,
        statistics: str | None = None,
        scale: Sequence[float] = DEFAULT_SCALE,
        jitter: Sequence[float] | None = ColorJitter(),
    ):
        super().__init__(statistics=statistics, scale=scale, jitter=jitter)
        self._prepared = PreparedDataset(
            name=self.name,
            data_dir=data_dir,
            sizes=self.published_sizes,
            evaluation_split="validation",
            needs=_NEEDS,
        )

    def check_prepared(self) -> None:
        self._prepared.open()

    def size(self, split: str) -> int:
        self.check_split(split)
        return self._prepared.size(split)

    def encoded(self, split: str) -> tf.data.Dataset:
        self.check_split(split)
        return _read(self._prepared.open(), self._prepared.published_split(split))

    def encoded_epochs(self, seed: int) -> Callable[[tf.Tensor], tf.data.Dataset]:
        builder = self._prepared.open()

        def images_of(epoch: tf.Tensor) -> tf.data.Dataset:
            # Else the order would depend on the seed of the process, too. This is the
            # graph of the function that tf.data calls for each epoch, nobody else's.
            tf.compat.v1.get_default_graph().seed = 1
            file_seed, buffer_seed = tf.unstack(
                tf.random.stateless_uniform(
                    (2,), tf.stack([seed, epoch]), 0, 2**31 - 1, dtype=tf.int64
                )
            )
            return _read(builder, "train", shuffle_seed=file_seed).shuffle(
                _SHUFFLED_IMAGES, seed=buffer_seed, reshuffle_each_iteration=False
            )

        return images_of
