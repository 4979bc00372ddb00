"""Figures, weights and signs of binary layers, for TensorBoard."""

import importlib.util
import os
from collections.abc import Mapping, Sequence

import tensorflow as tf

from larq_irnet.callbacks.monitor_figures import Figure
from larq_irnet.diagnostics import KernelSnapshot, sign_map

__all__ = ["BinarizationSummaries"]


class BinarizationSummaries:
    """Writes what TensorBoard shows of binary layers.

    # Arguments
        directory: Where the event files go; made when something is written.

    # Raises
        ImportError: if TensorBoard is not installed.

    # Example
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     summaries = BinarizationSummaries(folder)
        ...     summaries.write_scalars(0, {"weight_entropy": Figure(0.9)})
        ...     summaries.close()
        ...     len(os.listdir(folder))
        1
    """

    def __init__(self, directory: str | os.PathLike[str]):
        if importlib.util.find_spec("tensorboard") is None:
            raise ImportError(
                "Expected tensorboard for summaries, found none. Run "
                "`pip install tensorboard`."
            )
        self._directory = os.fspath(directory)
        self._writer: tf.summary.SummaryWriter | None = None

    def write_scalars(self, epoch: int, figures: Mapping[str, Figure]) -> None:
        """Each figure as "binarization/metric", and by layer as "metric/layer"."""
        with self._at(epoch):
            for name, figure in figures.items():
                tf.summary.scalar(f"binarization/{name}", figure.total)
                for layer, value in figure.layers.items():
                    tf.summary.scalar(f"{name}/{layer}", value)

    def write_histograms(self, epoch: int, kernels: Sequence[KernelSnapshot]) -> None:
        """The standardised latent weights of each kernel as "latent_weights/layer"."""
        with self._at(epoch):
            for kernel in kernels:
                tf.summary.histogram(
                    f"latent_weights/{kernel.name}", kernel.standardized
                )

    def write_images(
        self,
        epoch: int,
        before: Sequence[KernelSnapshot],
        after: Sequence[KernelSnapshot],
    ) -> None:
        """The signs of each kernel, and what has flipped, as "signs/layer"."""
        with self._at(epoch):
            for old, new in zip(before, after, strict=True):
                image = sign_map(new.signs, old.signs, filter_axes=new.filter_axes)
                tf.summary.image(f"signs/{new.name}", image[tf.newaxis])

    def flush(self) -> None:
        """Brings to the disk what was written."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Closes the file; the next summary opens another one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _at(self, epoch: int) -> tf.summary.SummaryWriter:
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(self._directory)
        return self._writer.as_default(step=epoch)
