"""Checkpoints at the end of each epoch, from which a run resumes exactly."""

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from larq_irnet.atomic_path import atomic_path
from larq_irnet.quantized_scope import quantized_scope
from zoo.workdir_error import WorkdirError, writing

__all__ = ["EpochCheckpoint"]

log = logging.getLogger(__name__)

_KEPT = 2
_LIST = "checkpoint"  # the file in which TensorFlow lists them
# restoring needs no other worker, so that all of TensorFlow's errors mean damage
_DAMAGED = (tf.errors.OpError, AssertionError, IndexError, ValueError)


def _listed(folder: Path) -> list[str]:
    """The checkpoints in TensorFlow's list; none if the list cannot be read."""
    try:
        state = tf.train.get_checkpoint_state(str(folder))
    except ValueError:  # an empty file
        return []
    return [] if state is None else list(state.all_model_checkpoint_paths)


def _mend_list(folder: Path) -> None:
    """Lists the checkpoints that lie there, if their list was lost or damaged."""
    if not folder.is_dir() or _listed(folder):
        return
    (folder / _LIST).unlink(missing_ok=True)
    indices = sorted(folder.glob("ckpt-*.index"), key=_number)
    if not indices:
        return
    log.warning("the list of checkpoints in %s is lost; made a new one", folder)
    lines = [f'model_checkpoint_path: "{indices[-1].stem}"']
    lines += [f'all_model_checkpoint_paths: "{path.stem}"' for path in indices]
    lines += [
        f"all_model_checkpoint_timestamps: {path.stat().st_mtime}" for path in indices
    ]
    with atomic_path(folder / _LIST) as partial:
        partial.write_text("\n".join([*lines, ""]))


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


class EpochCheckpoint(tf.keras.callbacks.Callback):
    """Saves model, optimizer and the number of finished epochs after each epoch.

    A checkpoint counts from the moment in which it is complete on the disk; what an
    interrupted process has left of another one is removed.

    # Arguments
        directory: Where the checkpoints lie.
        model: The compiled model.
        is_chief: Whether this process writes into `directory`. The other workers of a
            distributed run take part in the saving, as they have to, and throw theirs
            away.

    # Raises
        WorkdirError: from within `fit`, if a checkpoint cannot be written; the one
            before stays.
    """

    def __init__(self, directory: str, model: tf.keras.Model, *, is_chief: bool = True):
        super().__init__()
        self._epochs_done = tf.Variable(0, dtype=tf.int64, name="epochs_done")
        optimizer = model.optimizer
        optimizer.build(model.trainable_variables)
        self._checkpoint = tf.train.Checkpoint(
            model=model, optimizer=optimizer, epochs_done=self._epochs_done
        )
        # made now, by all workers: making a variable is a message to the others
        _ = self._checkpoint.save_counter
        self._is_chief = is_chief
        if is_chief:
            _mend_list(Path(directory))
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, directory, max_to_keep=_KEPT
        )

    def restore(self) -> int:
        """Loads the newest checkpoint that can be read, if there is one.

        # Returns
            The number of finished epochs.

        # Raises
            WorkdirError: if there are checkpoints, all of them damaged.
        """
        for path in reversed(self._manager.checkpoints):  # newest first
            try:
                with quantized_scope(False):
                    status = self._checkpoint.restore(path)
                    status.assert_existing_objects_matched()
                return int(self._epochs_done.numpy())
            except _DAMAGED as error:
                log.warning("cannot read checkpoint %s: %s", path, error)
        if self._manager.checkpoints:
            raise WorkdirError(
                f"Expected a checkpoint that can be read in {self._manager.directory}, "
                f"found {len(self._manager.checkpoints)} damaged ones. Bring them back "
                "from a backup, or remove the workdir and train again from the start."
            )
        return 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epochs_done.assign(epoch + 1)
        with quantized_scope(False):  # latent weights, whatever surrounds us
            if self._is_chief:
                self._save(epoch)
            else:
                self._take_part()

    def _save(self, epoch: int) -> None:
        kept = f"that of epoch {epoch} is kept" if epoch else "there is none yet"
        folder = self._manager.directory
        self._remove_unfinished()
        try:
            with writing(f"the checkpoint of epoch {epoch + 1} in {folder} ({kept})"):
                self._manager.save()
        finally:
            self._remove_unfinished()

    def _take_part(self) -> None:
        with tempfile.TemporaryDirectory(prefix="worker-checkpoint-") as folder:
            self._checkpoint.save(str(Path(folder) / "ckpt"))

    def _remove_unfinished(self) -> None:
        whole = tuple(f"{Path(path).name}." for path in self._manager.checkpoints)
        for path in Path(self._manager.directory).glob("*"):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != _LIST and not path.name.startswith(whole):
                path.unlink()
