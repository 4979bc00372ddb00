"""Histograms of the epochs of one run, in a small file."""

import dataclasses
import json
import os
from pathlib import Path

from larq_irnet.atomic_path import atomic_path
from larq_irnet.diagnostics.weight_histogram import EpochHistogram

__all__ = ["HistogramFile"]

_EPOCHS = 32


def _is_kept(epoch: int, last: int) -> bool:
    stride = 1
    while last >= _EPOCHS * stride:
        stride *= 2
    return epoch == last or epoch % stride == 0


class HistogramFile:
    """Keeps the histograms of some epochs, from the first to the last.

    Up to 32 epochs all are kept, then every second one up to 64, every fourth one up to
    128 and so on, always with the last one. So the file stays below 50 kB, and what is
    in it depends on the number of epochs only, not on interruptions in between.

    # Arguments
        path: A JSON file, made by the first `append`; its folder must exist.

    # Example
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = HistogramFile(f"{folder}/weight_histograms.json")
        ...     for epoch in range(3):
        ...         file.append(EpochHistogram(epoch, 0.99, 6.0, (1, 2, 1), 0))
        ...     [histogram.epoch for histogram in file.read()]
        [0, 1, 2]
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    def read(self) -> list[EpochHistogram]:
        """The histograms by epoch; none if there is no file.

        # Raises
            ValueError: if the file holds something else.
        """
        if not self.path.exists():
            return []
        try:
            rows = json.loads(self.path.read_text())
            return [
                EpochHistogram(**{**row, "counts": tuple(row["counts"])})
                for row in rows
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"Expected histograms of weights in {self.path}, got something else "
                f"({error!r}). Remove the file."
            ) from error

    def append(self, histogram: EpochHistogram) -> None:
        """Adds an epoch after those before it; later ones, run again now, are dropped.

        # Raises
            ValueError: if the file holds something else.
        """
        earlier = (one for one in self.read() if one.epoch < histogram.epoch)
        kept = [one for one in earlier if _is_kept(one.epoch, histogram.epoch)]
        rows = [dataclasses.asdict(one) for one in (*kept, histogram)]
        with atomic_path(self.path) as partial:
            partial.write_text(json.dumps(rows))
