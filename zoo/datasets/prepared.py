"""Datasets that tensorflow-datasets has put on the disk: nothing is downloaded here."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from google.protobuf import json_format

from zoo.datasets.image_dataset import DatasetNotPrepared

__all__ = ["PreparedDataset"]


@dataclass(frozen=True, kw_only=True)
class PreparedDataset:
    """A dataset of tensorflow-datasets, and where it should lie.

    # Attributes
        name: Its name in tensorflow-datasets.
        data_dir: Where to look for it; `None` for where tensorflow-datasets does.
        sizes: The splits it was published with, and how many images are in each.
        evaluation_split: Which of them serves as "validation" and as "test".
        needs: A sentence on what has to be there before it can be built, in which
            "{data_dir}" is filled in.
    """

    name: str
    data_dir: str | None
    sizes: Mapping[str, int]
    evaluation_split: str
    needs: str = ""

    def published_split(self, split: str) -> str:
        """Which published split serves as one of ours."""
        return "train" if split == "train" else self.evaluation_split

    def size(self, split: str) -> int:
        """How many images serve as one of our splits."""
        return self.sizes[self.published_split(split)]

    def open(self) -> Any:
        """Makes sure that all files are there.

        # Returns
            The `tfds.core.DatasetBuilder`.

        # Raises
            DatasetNotPrepared: if they are not.
            ImportError: if tensorflow-datasets is not installed.
        """
        tfds = self._tensorflow_datasets()
        try:
            builder = tfds.builder(self.name, data_dir=self._root)
        except (AssertionError, json_format.ParseError) as error:
            raise self.not_prepared("found a damaged dataset_info.json") from error
        if problem := self._problem(builder):
            raise self.not_prepared(problem)
        return builder

    def not_prepared(self, problem: str) -> DatasetNotPrepared:
        """The error to raise, with what there is to do.

        # Arguments
            problem: What was found instead.
        """
        folder = os.path.join(self._root, self.name)
        # `tfds` itself starts only where apache-beam is installed
        command = (
            'python -c "import tensorflow_datasets as tfds; '
            f"tfds.builder({self.name!r}, data_dir={self._root!r})"
            '.download_and_prepare()"'
        )
        needs = self.needs.format(data_dir=self._root)
        return DatasetNotPrepared(
            f"Expected {self.name} in the data_dir {self._root}, {problem}. Remove "
            f"{folder} if it is there, and run `{command}` or `tfds build {self.name} "
            f"--data_dir={shlex.quote(self._root)}`. {needs}".rstrip()
        )

    @property
    def _root(self) -> str:
        default = self._tensorflow_datasets().core.constants.DATA_DIR
        return os.path.expanduser(self.data_dir or default)

    def _tensorflow_datasets(self) -> ModuleType:
        try:
            import tensorflow_datasets
        except ImportError as error:
            raise ImportError(
                f"Expected tensorflow-datasets for {self.name}, found none. Run "
                "`pip install 'larq-irnet[zoo]'`."
            ) from error
        return tensorflow_datasets

    def _problem(self, builder: Any) -> str:
        """What keeps the files from being read; empty if nothing does."""
        if not builder.is_prepared():
            return f"found nothing prepared in {builder.data_dir}"
        for split, size in self.sizes.items():
            if split not in builder.info.splits:
                return f"found no {split} images in {builder.data_dir}"
            info = builder.info.splits[split]
            if info.num_examples != size:
                return f"found {info.num_examples} {split} images instead of {size}"
            for path in info.filepaths:
                if not path.exists():
                    return f"found no {path}"
        return ""
