"""What belongs together while one process trains one run."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator

import tensorflow as tf

from zoo import datasets
from zoo.distribution import is_chief
from zoo.evaluation import dataset_of
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir

__all__ = ["Session", "folder_of_this_process"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Session:
    """What one call of `zoo.training.run` works with.

    # Attributes
        config: What to train and how.
        data_dir: Where the images lie.
        strategy: The devices.
        shared: The folder of the run.
        folder: Where this process writes: `shared`, or for workers that are not the
            chief a folder to throw away.
        progress: What to show.
    """

    config: TrainConfig
    data_dir: str | None
    strategy: tf.distribute.Strategy
    shared: Workdir
    folder: Workdir
    progress: str

    @property
    def is_chief(self) -> bool:
        """Whether this process writes into the folder of the run."""
        return self.folder is self.shared

    @property
    def dataset(self) -> datasets.ImageDataset:
        """The images of the run."""
        return dataset_of(self.config, self.data_dir)


@contextlib.contextmanager
def folder_of_this_process(
    shared: Workdir, strategy: tf.distribute.Strategy
) -> Iterator[Workdir]:
    """The folder of the run for the chief, one to throw away for other workers."""
    if is_chief(strategy):
        yield shared
        return
    with tempfile.TemporaryDirectory(prefix="worker-") as path:
        yield Workdir(path)
