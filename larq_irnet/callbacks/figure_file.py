"""Figures of the epochs of one run by layer, in a CSV file."""

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from larq_irnet.atomic_path import atomic_path
from larq_irnet.callbacks.monitor_figures import Figure

__all__ = ["FigureFile", "FigureRow"]

FigureRow = tuple[int, str, str, float]
_HEADER = ("epoch", "metric", "layer", "value")


class FigureFile:
    """One row for each epoch, metric and layer; an empty layer is the whole model.

    # Arguments
        path: A CSV file, made by the first `append`; its folder must exist.

    # Example
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = FigureFile(f"{folder}/binarization.csv")
        ...     file.append(0, {"weight_entropy": Figure(0.5, {"conv": 0.5})})
        ...     file.read()
        [(0, 'weight_entropy', '', 0.5), (0, 'weight_entropy', 'conv', 0.5)]
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    def read(self) -> list[FigureRow]:
        """All rows; none if there is no file. A last one that was cut off is left out.

        # Raises
            ValueError: if the file holds something else.
        """
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines(keepends=True)
        rows = [*csv.reader(line for line in lines if line.endswith("\n"))]
        try:
            if rows and tuple(rows[0]) != _HEADER:
                raise ValueError(f"the columns {rows[0]}")
            return [
                (int(epoch), metric, layer, float(value))
                for epoch, metric, layer, value in rows[1:]
            ]
        except ValueError as error:
            raise ValueError(
                f"Expected figures of binary layers in {self.path}, got something else "
                f"({error}). Remove the file."
            ) from error

    def forget_from(self, epoch: int) -> None:
        """Drops the rows of epochs that are to be run again.

        # Raises
            ValueError: if the file holds something else.
        """
        if not self.path.exists():
            return
        kept = [row for row in self.read() if row[0] < epoch]
        with atomic_path(self.path) as partial, partial.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([_HEADER, *kept])

    def append(self, epoch: int, figures: Mapping[str, Figure]) -> None:
        """Adds the rows of one epoch behind those that are there."""
        is_new = not self.path.exists() or not self.path.stat().st_size
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if is_new:
                writer.writerow(_HEADER)
            for name, figure in figures.items():
                values = {"": figure.total, **figure.layers}
                writer.writerows(
                    (epoch, name, layer, value) for layer, value in values.items()
                )
