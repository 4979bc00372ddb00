import numpy as np
import pytest

from zoo import datasets
from zoo.datasets import SPLITS

NAMES = ["synthetic_cifar10", "synthetic_cifar100", "synthetic_imagenet2012"]
SIZES = {"train": 64, "validation": 32, "test": 32}
LARGE_SIZES = {"train": 64, "validation": 10, "test": 10}


def sizes_of(dataset):
    return LARGE_SIZES if dataset.name == "synthetic_imagenet2012" else SIZES


@pytest.fixture(scope="module", params=NAMES)
def dataset(request):
    return datasets.get(request.param)


def test_sizes(dataset):
    assert {split: dataset.size(split) for split in SPLITS} == sizes_of(dataset)


@pytest.mark.parametrize("split", SPLITS)
def test_ten_classes_are_present_spread_over_all(dataset, split):
    _, labels = dataset.arrays(split)
    step = dataset.num_classes // 10
    assert set(labels) == set(range(0, dataset.num_classes, step))
    counts = np.bincount(labels // step)
    assert counts.max() - counts.min() <= 1


def test_the_mean_colour_tells_the_class(dataset):
    def colours(split):
        images, labels = dataset.arrays(split)
        return images.mean(axis=(1, 2)), labels

    (known, known_labels), (unknown, labels) = colours("train"), colours("test")
    distances = np.linalg.norm(unknown[:, None] - known, axis=-1)
    np.testing.assert_array_equal(known_labels[distances.argmin(axis=1)], labels)


def test_no_image_is_in_two_splits(dataset):
    images = [image.tobytes() for split in SPLITS for image in dataset.arrays(split)[0]]
    assert len(set(images)) == sum(sizes_of(dataset).values())


@pytest.mark.parametrize("name", NAMES)
def test_a_new_object_has_the_same_images(name, dataset):
    again = type(datasets.get(name))()
    one, other = again.arrays("test", 5), datasets.get(name).arrays("test", 5)
    np.testing.assert_array_equal(one.images, other.images)


@pytest.mark.parametrize("name", NAMES)
def test_statistics(name):
    first = datasets.get(name, statistics="cifar10").arrays("test", 1).images
    assert (first != datasets.get(name).arrays("test", 1).images).all()
    default = datasets.get(name, statistics="imagenet").arrays("test", 1).images
    np.testing.assert_array_equal(default, datasets.get(name).arrays("test", 1).images)
