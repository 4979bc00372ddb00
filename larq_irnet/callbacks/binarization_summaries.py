"""Figures, weights and signs of binary layers, for TensorBoard."""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.callbacks.monitor_figures import Figure
from larq_irnet.diagnostics import KernelSnapshot, sign_map

__all__ = ["BinarizationSummaries"]

_BUCKETS = 30  # TensorBoard's default
_FAST = 1  # of the levels 0 to 9 of zlib


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
        ...     summaries.add_scalars({"weight_entropy": Figure(0.9)})
        ...     summaries.write(epoch=0)
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
        self._values: list[Any] = []

    def add_scalars(self, figures: Mapping[str, Figure]) -> None:
        """Each figure as "binarization/metric", and by layer as "metric/layer"."""
        from tensorboard.compat.proto import summary_pb2, tensor_pb2, types_pb2
        from tensorboard.plugins.scalar.metadata import create_summary_metadata

        metadata = create_summary_metadata(display_name=None, description=None)
        for name, figure in figures.items():
            values = {f"binarization/{name}": figure.total} | {
                f"{name}/{layer}": value for layer, value in figure.layers.items()
            }
            for tag, value in values.items():  # `scalar_pb` takes several times as long
                scalar = tensor_pb2.TensorProto(
                    dtype=types_pb2.DT_FLOAT, float_val=[value]
                )
                one = summary_pb2.Summary.Value(
                    tag=tag, tensor=scalar, metadata=metadata
                )
                self._values.append(one)

    def add_histograms(self, kernels: Sequence[KernelSnapshot]) -> None:
        """The standardised latent weights of each kernel as "latent_weights/layer".

        Weights that are not finite are left out.
        """
        from tensorboard.compat.proto import summary_pb2
        from tensorboard.plugins.histogram.metadata import create_summary_metadata
        from tensorboard.util.tensor_util import make_tensor_proto

        metadata = create_summary_metadata(display_name=None, description=None)
        for kernel in kernels:
            finite = kernel.standardized[np.isfinite(kernel.standardized)]
            counts, edges = np.histogram(finite, _BUCKETS)
            rows = np.stack([edges[:-1], edges[1:], counts], axis=-1)  # [buckets, 3]
            value = summary_pb2.Summary.Value(
                tag=f"latent_weights/{kernel.name}",
                tensor=make_tensor_proto(rows, dtype=np.float64),
                metadata=metadata,
            )
            self._values.append(value)

    def add_images(
        self, before: Sequence[KernelSnapshot], after: Sequence[KernelSnapshot]
    ) -> None:
        """The signs of each kernel, and what has flipped, as "signs/layer"."""
        from tensorboard.compat.proto import summary_pb2
        from tensorboard.plugins.image.metadata import create_summary_metadata
        from tensorboard.util.tensor_util import make_tensor_proto

        for old, new in zip(before, after, strict=True):
            image = sign_map(new.signs, old.signs, filter_axes=new.filter_axes)
            height, width, _ = image.shape
            png = tf.io.encode_png(image, compression=_FAST).numpy()
            value = summary_pb2.Summary.Value(
                tag=f"signs/{new.name}",
                metadata=create_summary_metadata(display_name=None, description=None),
                tensor=make_tensor_proto([b"%d" % width, b"%d" % height, png]),
            )
            self._values.append(value)

    def write(self, epoch: int) -> None:
        """Brings what was added to the disk, as of one epoch.

        In one piece, because one operation for each value would take longer than all
        that is measured.
        """
        from tensorboard.compat.proto import summary_pb2

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(self._directory)
        summary = summary_pb2.Summary(value=self._values)
        self._values = []
        with self._writer.as_default():
            tf.summary.experimental.write_raw_pb(summary.SerializeToString(), epoch)
        self._writer.flush()

    def close(self) -> None:
        """Closes the file; what is written next goes into another one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
