import numpy as np
import pytest

from tests.zoo.datasets.prepared_files import (
    EVALUATION_SIZE,
    TRAIN_SIZE,
    TinyCifar10,
    TinyCifar100,
    pixels,
)
from zoo.datasets import Cifar10, Cifar100
from zoo.datasets.statistics import CHANNEL_STATISTICS


def normalised(images, statistics="imagenet"):
    mean, deviation = CHANNEL_STATISTICS[statistics]
    return (images / 255.0 - mean) / deviation


def originals(split, size):
    return np.stack([pixels(split, index) for index in range(size)])


@pytest.fixture(scope="module", params=[TinyCifar10, TinyCifar100])
def dataset(request, data_dir):
    return request.param(data_dir=data_dir)


@pytest.mark.parametrize(
    "split, published, size",
    [
        ("train", "train", TRAIN_SIZE),
        ("validation", "test", EVALUATION_SIZE),
        ("test", "test", EVALUATION_SIZE),
    ],
)
def test_splits_are_the_published_ones(dataset, split, published, size):
    images, labels = dataset.arrays(split)
    # float32
    np.testing.assert_allclose(
        images, normalised(originals(published, size)), rtol=0, atol=1e-6
    )
    expected = np.arange(size) % dataset.num_classes
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("statistics", ["imagenet", "cifar10", None])
def test_statistics(data_dir, statistics):
    dataset = TinyCifar10(data_dir=data_dir, statistics=statistics)
    expected = normalised(originals("test", EVALUATION_SIZE), statistics or "imagenet")
    np.testing.assert_allclose(
        dataset.arrays("test").images, expected, rtol=0, atol=1e-6  # float32
    )


def is_crop_of(image, original):
    """Whether an image is a crop of the padded original, mirrored or not."""
    padded = np.pad(original, ((4, 4), (4, 4), (0, 0)))  # with black bytes
    views = np.lib.stride_tricks.sliding_window_view(padded, (32, 32, 3))
    crops = normalised(views[:, :, 0])  # [9, 9, 32, 32, 3]
    both = np.stack([crops, crops[..., ::-1, :]])
    return (np.abs(both - image).max(axis=(-3, -2, -1)) < 1e-5).sum() == 1


def test_training_images_are_crops_of_the_originals(dataset):
    batches = dataset.training_batches(batch_size=20, steps=2, seed=0, epochs=range(1))
    labels_seen = []
    for images, labels in batches.as_numpy_iterator():
        for image, label in zip(images, labels):
            candidates = range(label, TRAIN_SIZE, dataset.num_classes)
            assert any(is_crop_of(image, pixels("train", i)) for i in candidates)
        labels_seen.extend(labels)
    assert sorted(labels_seen) == sorted(np.arange(TRAIN_SIZE) % dataset.num_classes)


def test_crops_and_flips_vary(dataset):
    images, _ = dataset.arrays("train")
    batches = dataset.training_batches(batch_size=40, steps=1, seed=0, epochs=range(1))
    ((augmented, _),) = batches.as_numpy_iterator()
    unchanged = {image.tobytes() for image in images}
    # one of 162 crops is the image itself
    assert sum(image.tobytes() in unchanged for image in augmented) <= 3


def test_images_are_kept_as_bytes(data_dir):
    class Kept(TinyCifar10):
        def load(self):
            self.loaded = super().load()
            return self.loaded

    dataset = Kept(data_dir=data_dir)
    dataset.arrays("train")
    assert {split.images.dtype for split in dataset.loaded.values()} == {
        np.dtype(np.uint8)
    }
    assert dataset.loaded["validation"] is dataset.loaded["test"]


@pytest.mark.parametrize("dataset_class, classes", [(Cifar10, 10), (Cifar100, 100)])
def test_published_figures(dataset_class, classes):
    assert dataset_class.published_sizes == {"train": 50_000, "test": 10_000}
    assert dataset_class.num_classes == classes
