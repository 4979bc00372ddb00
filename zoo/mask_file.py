"""The masks of one run: what was kept of a few images, epoch by epoch, in one file."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from larq_irnet.atomic_path import atomic_path
from larq_irnet.callbacks import RestrictionSnapshot

__all__ = ["MaskFile", "Masks"]

_ARRAYS = ("images", "epochs", "attention", "kept")


@dataclass(frozen=True, eq=False)
class Masks:
    """What information restriction kept of some images.

    # Attributes
        images: As the network takes them, [N, H, W, C].
        snapshots: By epoch.
    """

    images: np.ndarray
    snapshots: tuple[RestrictionSnapshot, ...]


class MaskFile:
    """Keeps images and the masks of some epochs.

    # Arguments
        path: A NumPy archive, made by the first `append`; its folder must exist.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    def read(self) -> Masks | None:
        """Images and masks by epoch; `None` if there is no file.

        # Raises
            ValueError: if the file holds something else.
        """
        if not self.path.exists():
            return None
        try:
            with self.path.open("rb") as file, np.load(file) as archive:
                images, epochs, attention, kept = (archive[name] for name in _ARRAYS)
            epochs = epochs.tolist()
            return Masks(
                images, tuple(map(RestrictionSnapshot, epochs, attention, kept))
            )
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"Expected masks of a run in {self.path}, got something else "
                f"({error!r}). Remove the file."
            ) from error

    def append(self, images: np.ndarray, snapshot: RestrictionSnapshot) -> None:
        """Adds an epoch after those before it; later ones, run again now, are dropped.

        # Raises
            ValueError: if the file holds something else.
        """
        masks = self.read()
        earlier = masks.snapshots if masks else ()
        kept = [one for one in earlier if one.epoch < snapshot.epoch]
        snapshots = [*kept, snapshot]
        with atomic_path(self.path) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file,
                images=images,
                epochs=np.array([one.epoch for one in snapshots]),
                attention=np.stack([np.float16(one.attention) for one in snapshots]),
                kept=np.stack([one.kept for one in snapshots]),
            )
