"""A few images as `tfds build` would leave them, and datasets that expect so few."""

import io
import pathlib

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.datasets import Cifar10, Cifar100, Imagenet2012

TRAIN_SIZE = 40
EVALUATION_SIZE = 13
_IMAGES_PER_FILE = 7


class TinyCifar10(Cifar10):
    published_sizes = {"train": TRAIN_SIZE, "test": EVALUATION_SIZE}


class TinyCifar100(Cifar100):
    published_sizes = {"train": TRAIN_SIZE, "test": EVALUATION_SIZE}


class TinyImagenet2012(Imagenet2012):
    published_sizes = {"train": TRAIN_SIZE, "validation": EVALUATION_SIZE}


TINY_DATASETS = (TinyCifar10, TinyCifar100, TinyImagenet2012)


def pixels(split, index, height=32, width=32):
    """The image of this number before any change; bytes, [height, width, 3]."""
    generator = np.random.default_rng([len(split), index])
    return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


def jpeg(split, index):
    """The same of ImageNet, in one of several sizes; its class is `index`."""
    height, width = ((40, 60), (50, 30), (48, 48))[index % 3]
    return tf.io.encode_jpeg(pixels(split, index, height, width)).numpy()


def _cifar10_example(split, index):
    label = index % 10
    return {"id": f"{split}_{index}", "image": pixels(split, index), "label": label}


def _cifar100_example(split, index):
    return {
        "id": f"{split}_{index}",
        "image": pixels(split, index),
        "label": index,
        "coarse_label": index % 20,
    }


def _imagenet_example(split, index):
    image = io.BytesIO(jpeg(split, index))
    return {"file_name": f"{split}_{index}.JPEG", "image": image, "label": index}


_EXAMPLES = {
    "cifar10": _cifar10_example,
    "cifar100": _cifar100_example,
    "imagenet2012": _imagenet_example,
}


def prepare(dataset_class, data_dir):
    """Writes the files that `dataset_class` expects in `data_dir`."""
    builder = tfds.builder(dataset_class.name, data_dir=data_dir)
    pathlib.Path(builder.data_dir).mkdir(parents=True)
    writer = tfds.core.SequentialWriter(builder.info, _IMAGES_PER_FILE)
    writer.initialize_splits(dataset_class.published_sizes)
    example = _EXAMPLES[dataset_class.name]
    for split, size in dataset_class.published_sizes.items():
        writer.add_examples({split: [example(split, index) for index in range(size)]})
    writer.close_all()
    return pathlib.Path(builder.data_dir)
