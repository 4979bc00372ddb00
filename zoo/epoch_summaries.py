"""The figures of each epoch, for TensorBoard."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.workdir_error import writing

__all__ = ["EpochSummaries"]

_VALIDATION = "val_"


class EpochSummaries(tf.keras.callbacks.Callback):
    """Writes the figures of each epoch where TensorBoard finds them.

    Under the names that Keras' own callback gives them.

    # Arguments
        directory: Gets a folder "train" and a folder "validation".

    # Raises
        WorkdirError: from within `fit`, if they cannot be written.
    """

    def __init__(self, directory: str | Path):
        super().__init__()
        self._directory = Path(directory)
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        with writing(self._directory):
            for name, value in (logs or {}).items():
                folder = "validation" if name.startswith(_VALIDATION) else "train"
                with self._writer(folder).as_default(step=epoch):
                    tf.summary.scalar(f"epoch_{name.removeprefix(_VALIDATION)}", value)
            for writer in self._writers.values():
                writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the files, also after an exception within `fit`."""
        with writing(self._directory):
            while self._writers:
                self._writers.popitem()[1].close()

    def _writer(self, folder: str) -> tf.summary.SummaryWriter:
        if folder not in self._writers:
            path = str(self._directory / folder)
            self._writers[folder] = tf.summary.create_file_writer(path)
        return self._writers[folder]
