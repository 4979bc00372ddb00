"""Prepared files that several tests read."""

import pytest

from tests.zoo.datasets.prepared_files import TINY_DATASETS, prepare


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """A data_dir with a few images of each dataset; tests must not change it."""
    path = tmp_path_factory.mktemp("tensorflow_datasets")
    for dataset_class in TINY_DATASETS:
        prepare(dataset_class, path)
    return str(path)
