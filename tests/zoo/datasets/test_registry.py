import re

import pytest

from zoo import datasets

NAMES = [
    "cifar10",
    "cifar100",
    "digit_scenes",
    "digits",
    "imagenet2012",
    "synthetic_cifar10",
    "synthetic_cifar100",
    "synthetic_imagenet2012",
]
SIZES_THAT_NEED_NO_FILES = {
    "cifar10": (50_000, 10_000, 10_000),
    "cifar100": (50_000, 10_000, 10_000),
    "digit_scenes": (10_000, 2_000, 4_000),
    "imagenet2012": (1_281_167, 50_000, 50_000),
}


def test_names():
    assert datasets.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_datasets_describe_themselves(name):
    dataset = datasets.get(name)
    assert dataset.name == name
    height, width, channels = dataset.input_shape
    assert height == width
    assert channels in (1, 3)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "imagenet2012"])
def test_twins_have_the_shapes_and_classes_of_the_originals(name):
    original, twin = datasets.get(name), datasets.get(f"synthetic_{name}")
    assert twin.input_shape == original.input_shape
    assert twin.num_classes == original.num_classes


@pytest.mark.parametrize("name, sizes", list(SIZES_THAT_NEED_NO_FILES.items()))
def test_sizes_are_known_without_files(name, sizes, tmp_path):
    dataset = datasets.get(name, data_dir=str(tmp_path / "absent"))
    assert tuple(map(dataset.size, datasets.SPLITS)) == sizes


@pytest.mark.parametrize("name", ["mnist", "", "Digits"])
def test_unknown_dataset(name):
    with pytest.raises(ValueError, match=r"Expected a dataset out of \['cifar10', "):
        datasets.get(name)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_statistics(name):
    with pytest.raises(ValueError, match="Expected `statistics` .*, got 'mnist'"):
        datasets.get(name, statistics="mnist")


def test_the_same_arguments_give_the_same_object():
    dataset = datasets.get("cifar10")
    assert dataset is datasets.get("cifar10", data_dir=None, statistics=None)
    assert dataset is not datasets.get("cifar10", statistics="cifar10")
    assert dataset is not datasets.get("cifar10", data_dir="elsewhere")


@pytest.mark.parametrize("name", ["imagenet2012", "synthetic_imagenet2012"])
def test_augmentation_is_part_of_the_arguments(name):
    options = {"scale": (0.08, 1.25), "jitter": None}
    dataset = datasets.get(name, augmentation=options)
    as_in_json = {"jitter": None, "scale": [0.08, 1.25]}
    assert dataset is datasets.get(name, augmentation=as_in_json)
    assert dataset is not datasets.get(name, augmentation={"jitter": None})
    assert dataset is not datasets.get(name)
    assert datasets.get(name) is datasets.get(name, augmentation={})


@pytest.mark.parametrize("name", NAMES)
def test_unknown_augmentation(name):
    known = ["jitter", "scale"] if "imagenet" in name else []
    known = ["shift"] if name == "digit_scenes" else known
    assert datasets.augmentation_options(name) == known
    message = f"`augmentation` of {name} out of {known}, got ['colour']"
    with pytest.raises(ValueError, match=re.escape(message)):
        datasets.get(name, augmentation={"colour": 1})
