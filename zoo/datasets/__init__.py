"""Datasets by name, all with the same face: `ImageDataset`."""

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from zoo.datasets.cifar import Cifar10, Cifar100, CifarImages
from zoo.datasets.color_jitter import ColorJitter
from zoo.datasets.digit_scenes import DigitScenes
from zoo.datasets.digits import Digits
from zoo.datasets.encoded_dataset import EncodedDataset
from zoo.datasets.image_dataset import (
    SPLITS,
    DatasetNotPrepared,
    ImageDataset,
    Shard,
    Split,
)
from zoo.datasets.imagenet import Imagenet2012
from zoo.datasets.in_memory_dataset import InMemoryDataset
from zoo.datasets.synthetic import (
    SyntheticCifar10,
    SyntheticCifar100,
    SyntheticImagenet2012,
)

__all__ = [
    "Cifar10",
    "Cifar100",
    "CifarImages",
    "ColorJitter",
    "DatasetNotPrepared",
    "DigitScenes",
    "Digits",
    "EncodedDataset",
    "ImageDataset",
    "Imagenet2012",
    "InMemoryDataset",
    "SPLITS",
    "Shard",
    "Split",
    "SyntheticCifar10",
    "SyntheticCifar100",
    "SyntheticImagenet2012",
    "augmentation_options",
    "get",
    "names",
]

_DATASETS: dict[str, Callable[..., ImageDataset]] = {
    dataset.name: dataset
    for dataset in (
        Cifar10,
        Cifar100,
        DigitScenes,
        Digits,
        Imagenet2012,
        SyntheticCifar10,
        SyntheticCifar100,
        SyntheticImagenet2012,
    )
}


def names() -> list[str]:
    """The names of all datasets, sorted."""
    return sorted(_DATASETS)


def augmentation_options(name: str) -> list[str]:
    """What can be set about the augmentation of a dataset, sorted.

    # Raises
        ValueError: if there is no such dataset.

    # Example
        >>> augmentation_options("imagenet2012"), augmentation_options("cifar10")
        (['jitter', 'scale'], [])
    """
    arguments = inspect.signature(_class_of(name)).parameters
    return sorted(set(arguments) - {"data_dir", "statistics"})


def get(
    name: str,
    *,
    data_dir: str | None = None,
    statistics: str | None = None,
    augmentation: Mapping[str, Any] | None = None,
) -> ImageDataset:
    """Looks a dataset up; its images are loaded when they are first needed.

    # Arguments
        name: One of `names()`.
        data_dir: Where tensorflow-datasets has put its files; `None` for its default
            place. Datasets that need no files do without.
        statistics: Name of the channel means and deviations that images are normalised
            with, "cifar10", "digit_scenes" or "imagenet"; `None` for the default of the
            dataset.
        augmentation: How training images are changed, by `augmentation_options(name)`;
            what is not given is as the dataset has it.

    # Returns
        The same object for the same arguments, so that images are loaded once.

    # Raises
        ValueError: if there is no such dataset, no such statistics or augmentation for
            it, or a value out of its range.

    # Example
        >>> get("digits").num_classes
        10
        >>> get("cifar100", statistics="cifar10").size("test")
        10000
        >>> images = get("imagenet2012", augmentation={"scale": (0.08, 1.25)})
        >>> images.size("train")
        1281167
    """
    options = dict(augmentation or {})
    known = augmentation_options(name)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(
            f"Expected `augmentation` of {name} out of {known}, got {unknown}."
        )
    # text, because the key of a cache cannot hold lists
    return _get(name, data_dir, statistics, json.dumps(options, sort_keys=True))


def _class_of(name: str) -> Callable[..., ImageDataset]:
    if name not in _DATASETS:
        raise ValueError(f"Expected a dataset out of {names()}, got {name!r}.")
    return _DATASETS[name]


@functools.cache
def _get(
    name: str, data_dir: str | None, statistics: str | None, augmentation: str
) -> ImageDataset:
    return _class_of(name)(
        data_dir=data_dir, statistics=statistics, **json.loads(augmentation)
    )
