"""Datasets by name, all with the same face: `ImageDataset`."""

import functools
from collections.abc import Callable

from zoo.datasets.cifar import Cifar10, Cifar100, CifarImages
from zoo.datasets.color_jitter import ColorJitter
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
    "get",
    "names",
]

_DATASETS: dict[str, Callable[..., ImageDataset]] = {
    dataset.name: dataset
    for dataset in (
        Cifar10,
        Cifar100,
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


def get(
    name: str, *, data_dir: str | None = None, statistics: str | None = None
) -> ImageDataset:
    """Looks a dataset up; its images are loaded when they are first needed.

    # Arguments
        name: One of `names()`.
        data_dir: Where tensorflow-datasets has put its files; `None` for its default
            place. Datasets that need no files do without.
        statistics: Name of the channel means and deviations that images are normalised
            with, "cifar10" or "imagenet"; `None` for the default of the dataset.

    # Returns
        The same object for the same arguments, so that images are loaded once.

    # Raises
        ValueError: if there is no such dataset, or no such statistics for it.

    # Example
        >>> get("digits").num_classes
        10
        >>> get("cifar100", statistics="cifar10").size("test")
        10000
    """
    return _get(name, data_dir, statistics)


@functools.cache
def _get(name: str, data_dir: str | None, statistics: str | None) -> ImageDataset:
    if name not in _DATASETS:
        raise ValueError(f"Expected a dataset out of {names()}, got {name!r}.")
    return _DATASETS[name](data_dir=data_dir, statistics=statistics)
