"""Images per second that the training pipelines deliver with two cores."""

import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from zoo.datasets import CifarImages, EncodedDataset, ImageDataset, Split

__all__ = ["measure_input_pipelines"]

_CORES = 2
_CIFAR_IMAGES = 10_000
_PHOTOGRAPHS = 64  # different ones
_PHOTOGRAPH_SHAPE = (375, 500, 3)  # the most frequent one of ImageNet
_WARM_UP_STEPS = 5


class _RandomCifar(CifarImages):
    name = "cifar10"
    num_classes = 10

    def load(self) -> dict[str, Split]:
        generator = np.random.default_rng(0)
        shape = (_CIFAR_IMAGES, *self.input_shape)
        images = generator.integers(0, 256, shape, dtype=np.uint8)
        return {"train": Split(images, generator.integers(0, 10, _CIFAR_IMAGES))}


def _photograph(generator: np.random.Generator) -> tf.Tensor:
    """A JPEG image of patches and noise with as many bytes as one of ImageNet."""
    patches = generator.uniform(0, 255, (24, 32, 3)).astype(np.float32)
    smooth = tf.image.resize(patches, _PHOTOGRAPH_SHAPE[:2], method="bicubic")
    noisy = smooth + generator.normal(0, 12, _PHOTOGRAPH_SHAPE)
    return tf.io.encode_jpeg(tf.saturate_cast(noisy, tf.uint8), quality=93)


class _Photographs(EncodedDataset):
    name = "imagenet2012"
    num_classes = 1000

    def size(self, split: str) -> int:
        return 1_281_167

    def encoded(self, split: str) -> tf.data.Dataset:
        generator = np.random.default_rng(0)
        images = [_photograph(generator) for _ in range(_PHOTOGRAPHS)]
        labels = tf.range(_PHOTOGRAPHS, dtype=tf.int64)
        return tf.data.Dataset.from_tensor_slices((tf.stack(images), labels))

    def encoded_epochs(self, seed: int) -> Callable[[tf.Tensor], tf.data.Dataset]:
        images = self.encoded("train").repeat()
        return lambda epoch: images


def _images_per_second(dataset: ImageDataset, batch_size: int, steps: int) -> float:
    options = tf.data.Options()
    options.threading.private_threadpool_size = _CORES
    options.threading.max_intra_op_parallelism = 1
    batches = dataset.training_batches(
        batch_size=batch_size,
        steps=dataset.size("train") // batch_size,
        seed=0,
        epochs=range(1_000),
    )
    iterator = iter(batches.with_options(options))
    for _ in range(_WARM_UP_STEPS):
        next(iterator)
    start = time.perf_counter()
    for _ in range(steps):
        next(iterator)
    return steps * batch_size / (time.perf_counter() - start)


def measure_input_pipelines(
    *, cifar_steps: int = 1000, imagenet_steps: int = 25
) -> dict[str, float]:
    """Runs the pipelines as fast as they go, with nothing that uses their batches.

    # Arguments
        cifar_steps: Batches of 128 images of 32x32 pixels.
        imagenet_steps: Batches of 64 JPEG images of 500x375 pixels.

    # Returns
        Images per second of "cifar10" and of "imagenet2012".
    """
    return {
        "cifar10": _images_per_second(_RandomCifar(), 128, cifar_steps),
        "imagenet2012": _images_per_second(_Photographs(), 64, imagenet_steps),
    }
