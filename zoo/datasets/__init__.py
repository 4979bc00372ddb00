"""Datasets by name, all with the same face: `ImageDataset`."""

import functools

from zoo.datasets.digits import Digits
from zoo.datasets.image_dataset import SPLITS, ImageDataset, InMemoryDataset, Split

__all__ = [
    "Digits",
    "ImageDataset",
    "InMemoryDataset",
    "SPLITS",
    "Split",
    "get",
    "names",
]

_DATASETS = {dataset.name: dataset for dataset in (Digits,)}


def names() -> list[str]:
    """The names of all datasets, sorted."""
    return sorted(_DATASETS)


@functools.cache
def get(name: str) -> ImageDataset:
    """Looks a dataset up; its images are loaded when they are first needed.

    # Raises
        ValueError: if there is no such dataset.

    # Example
        >>> get("digits").num_classes
        10
    """
    if name not in _DATASETS:
        raise ValueError(f"Expected a dataset out of {names()}, got {name!r}.")
    return _DATASETS[name]()
