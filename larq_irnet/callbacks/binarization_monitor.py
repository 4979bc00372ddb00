"""Diagnostics of a binary network while it trains, at the end of each epoch."""

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import tensorflow as tf

from larq_irnet.callbacks.binarization_summaries import BinarizationSummaries
from larq_irnet.callbacks.figure_file import FigureFile
from larq_irnet.callbacks.monitor_figures import (
    BATCH_METRICS,
    METRICS,
    WEIGHT_METRICS,
    Figure,
    input_figures,
    weight_figures,
    weight_gradient_figure,
)
from larq_irnet.diagnostics import (
    DEAD_TAU,
    STUCK_THRESHOLD,
    BinaryInputs,
    EpochHistogram,
    KernelReader,
    KernelSnapshot,
    binary_input_layers,
    binary_kernels,
    epoch_histogram,
    gradient_cosine_of,
)
from larq_irnet.diagnostics.dead_weights import check_tau, check_threshold
from larq_irnet.training_wrapper import TrainingWrapper

__all__ = ["BinarizationMonitor"]

_NEEDS_LABELS = "gradient_cosine"
_ACTIVATION_METRICS = sorted(set(BATCH_METRICS) - {_NEEDS_LABELS})
_SNAPSHOT_METRICS = set(WEIGHT_METRICS) - {"weight_gradient_share"}
_KERNEL_PROBES = 4  # of each filter: thousands in a model


def _tau_in_force(reader: KernelReader, otherwise: float) -> float:
    """The quantile of the quantizers, where they have one and agree."""
    found = {one["tau"] for one in reader.schedules() if "tau" in one}
    return found.pop() if len(found) == 1 else otherwise


def _checked_metrics(metrics: Collection[str] | None) -> set[str] | None:
    """The names of metrics, if there are any but no others."""
    if metrics is None:
        return None
    unknown = sorted(set(metrics) - set(METRICS))
    if isinstance(metrics, str) or unknown:
        raise ValueError(
            f"Expected `metrics` to be None or some of {list(METRICS)}, got "
            f"{metrics if isinstance(metrics, str) else unknown!r}."
        )
    return set(metrics)


def _possible_metrics(inputs: Any, labels: Any) -> set[str]:
    """What can be measured of a batch that may be missing."""
    if inputs is None:
        return set(WEIGHT_METRICS)
    return set(METRICS) - ({_NEEDS_LABELS} if labels is None else set())


def _loss_of(model: tf.keras.Model) -> Callable[[Any, Any], tf.Tensor]:
    """The loss that a model was compiled with, if it is one."""
    loss = getattr(model, "loss", None)
    is_single = isinstance(loss, str) or callable(loss)
    if isinstance(model, TrainingWrapper) or not is_single:
        raise ValueError(
            f"Expected a `loss` of labels and outputs for '{_NEEDS_LABELS}', got None, "
            f"and '{model.name}' ({type(model).__name__}) has none of its own. Pass "
            f"`loss`, or leave '{_NEEDS_LABELS}' out of `metrics`."
        )
    return tf.keras.losses.get(loss)


class BinarizationMonitor(tf.keras.callbacks.Callback):
    r"""Measures a binary network while it trains, and changes nothing of the training.

    At the end of every epoch, of the weights of all binary kernels:

    - `dead_share`: share of the latent weights outside the quantiles
      \\(\pm Q(\tau)\\) of their layer, by `larq_irnet.diagnostics.dead_share`.
    - `stuck_share`: share of the weights that the epoch has neither flipped nor moved,
      by `larq_irnet.diagnostics.stuck_share`.
    - `flip_ratio`: share of the weights that have another sign than before the epoch.
    - `weight_entropy`: bits of each filter, by `larq_irnet.diagnostics.weight_entropy`.
    - `quantization_error`: of each filter, relative to its energy, by
      `larq_irnet.diagnostics.quantization_error`.

    In every tenth epoch, from the first on:

    - `weight_gradient_share`: share of the weights that get surrogate gradient, by
      `larq_irnet.diagnostics.surrogate_share` of 4 weights of each filter; and of the
      `inputs` of one batch
    - `activation_entropy`: bits of each channel that is binarized, by
      `larq_irnet.diagnostics.activation_entropy`,
    - `activation_balance`: of each channel, by
      `larq_irnet.diagnostics.activation_balance`,
    - `activation_gradient_share`: share of the activations that get surrogate gradient,
      by the same of 2 in each sample and layer.

    Still more rarely, because it takes dozens of passes through the network, and with
    `labels` as well:

    - `gradient_cosine`: gradient mismatch, the cosine between surrogate gradient and
      finite differences, by `larq_irnet.diagnostics.gradient_cosine`.

    Shares are over all weights or activations, so that a large layer counts more;
    others are means over all filters or channels. Of layers of one name, in models
    within the model, the later ones have a number behind. The figures of the whole
    model go into the logs of the epoch: place the monitor in front of callbacks
    that read them. By layer they are in TensorBoard and in the CSV file.

    It keeps no state from one call of `fit` to the next: a run that is resumed at the
    end of an epoch has the figures of one that was not interrupted. Batches are run in
    inference mode.

    # Arguments
        metrics: Names of the figures to measure; `None` for all that `inputs` and
            `labels` allow.
        inputs: One batch as the network takes it, such as 64 validation images.
        labels: Its labels.
        loss: Gives the loss of labels and outputs for `gradient_cosine`; `None` for the
            one that the model was compiled with.
        batch_epochs: Every so many epochs the slower figures are measured.
        cosine_epochs: Every so many epochs `gradient_cosine` is measured.
        directions: As for `larq_irnet.diagnostics.gradient_cosine`; their seed is the
            number of the epoch.
        tau: Quantile of `dead_share`, the same for all methods and epochs.
        threshold: Movement that `stuck_share` tolerates.
        on_histogram: Called with the `larq_irnet.diagnostics.EpochHistogram` of each
            epoch, such as `HistogramFile(path).append`; of several workers, by the
            chief only. The histogram has the \\(\tau\\) of ReCU's schedule in this
            epoch, and that of `dead_share` for other quantizers. `None` makes no
            histograms.
        log_dir: Where TensorBoard's files go; `None` for none. Files are written by the
            chief only.
        histograms: Whether the latent weights of each kernel go there, in the epochs
            of the slower figures.
        images: Whether the signs of each kernel go there, in the same epochs.
        csv_path: A CSV file to write the figures by layer to, see
            `larq_irnet.callbacks.FigureFile`; rows of epochs that are run again are
            replaced.

    # Raises
        ValueError: for unknown metrics, metrics that need a batch without one, a number
            out of its range, a folder that does not exist; at the beginning of the
            training, if the model has no binary layer, or not the kind that a metric is
            about, if a binary layer is not built or not seen to be called, or if there
            is no loss for `gradient_cosine`.
        ImportError: if TensorBoard is not installed and `log_dir` is given.

    # Example
        >>> import larq_irnet as irnet
        >>> model = tf.keras.Sequential(
        ...     [irnet.layers.QuantDense(2, quantizer="irnet", input_shape=(4,))]
        ... )
        >>> model.compile("sgd", "mse")
        >>> x, y = tf.random.normal((8, 4)), tf.ones((8, 2))
        >>> monitor = BinarizationMonitor(metrics=["flip_ratio", "activation_entropy"],
        ...                               inputs=x)
        >>> history = model.fit(x, y, callbacks=[monitor], verbose=0)
        >>> sorted(history.history)
        ['activation_entropy', 'flip_ratio', 'loss']

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369)
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788)
    """

    def __init__(
        self,
        *,
        metrics: Collection[str] | None = None,
        inputs: Any = None,
        labels: Any = None,
        loss: Callable[[Any, Any], tf.Tensor] | None = None,
        batch_epochs: int = 10,
        cosine_epochs: int = 100,
        directions: int = 16,
        tau: float = DEAD_TAU,
        threshold: float = STUCK_THRESHOLD,
        on_histogram: Callable[[EpochHistogram], None] | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        histograms: bool = True,
        images: bool = True,
        csv_path: str | os.PathLike[str] | None = None,
    ):
        super().__init__()
        check_tau(tau)
        check_threshold(threshold)
        for name, number in (
            ("batch_epochs", batch_epochs),
            ("cosine_epochs", cosine_epochs),
            ("directions", directions),
        ):
            if number < 1:
                raise ValueError(f"Expected `{name}` to be at least 1, got {number!r}.")
        self._wanted = _checked_metrics(metrics)
        self._possible = _possible_metrics(inputs, labels)
        missing = sorted((self._wanted or set()) - self._possible)
        if missing:
            needed = "`labels`" if inputs is not None else "`inputs` and `labels`"
            raise ValueError(
                f"Expected {needed} of one batch for {missing}, got None. Pass them, "
                "or leave these out of `metrics`."
            )
        if csv_path is not None and not Path(csv_path).parent.is_dir():
            raise ValueError(
                "Expected `csv_path` in an existing folder, got "
                f"{os.fspath(csv_path)!r}."
            )
        self.inputs, self.labels, self.loss = inputs, labels, loss
        self.batch_epochs = batch_epochs
        self.cosine_epochs = cosine_epochs
        self.directions = directions
        self.tau = tau
        self.threshold = threshold
        self.on_histogram = on_histogram
        self.histograms = histograms
        self.images = images
        self._summaries = None if log_dir is None else BinarizationSummaries(log_dir)
        self._file = None if csv_path is None else FigureFile(csv_path)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        is_wrapper = isinstance(self.model, TrainingWrapper)
        network = self.model.network if is_wrapper else self.model
        self._reader = KernelReader(binary_kernels(network))
        inputs = binary_input_layers(network)
        self._metrics = self._metrics_of(bool(self._reader.kernels), bool(inputs))
        self._inputs = None
        if self._metrics & set(BATCH_METRICS):
            loss = self.loss
            if loss is None and _NEEDS_LABELS in self._metrics:
                loss = _loss_of(self.model)
            self._inputs = BinaryInputs(network, loss)
            self._inputs.trace(self.inputs)
        self._is_first = True
        self._before = self._snapshots()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._is_first and self._file is not None and self._is_chief:
            self._file.forget_from(epoch)
        self._is_first = False

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        before, self._before = self._before, self._snapshots()
        figures = weight_figures(
            sorted(self._metrics),
            before,
            self._before,
            tau=self.tau,
            threshold=self.threshold,
        )
        if self._is_slow(epoch):
            figures |= self._slow_figures(epoch)
        if epoch % self.cosine_epochs == 0:
            figures |= self._gradient_cosine(epoch)
        if logs is not None:
            logs.update({name: figure.total for name, figure in figures.items()})
        if self._is_chief:
            self.write(epoch, figures, before)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def close(self) -> None:
        """Closes TensorBoard's file, also after an exception within `fit`."""
        if self._summaries is not None:
            self._summaries.close()

    def _metrics_of(self, has_kernels: bool, has_inputs: bool) -> set[str]:
        """What is measured of a model with such layers."""
        there = set(WEIGHT_METRICS if has_kernels else ())
        there |= set(BATCH_METRICS if has_inputs else ())
        missing = sorted((self._wanted or set()) - there)
        if not there or missing:
            what = " and ".join(
                ["binary kernels"] * (not has_kernels)
                + ["binary inputs of a layer"] * (not has_inputs)
            )
            raise ValueError(
                f"Expected a model with {what} to monitor"
                f"{f' for {missing}' if missing else ''}, got '{self.model.name}' "
                "without any. Leave the monitor or these metrics out, or see that the "
                "layers have quantizers."
            )
        wanted = self._possible if self._wanted is None else self._wanted
        return wanted & there

    def _snapshots(self) -> list[KernelSnapshot]:
        """The weights, where something is made of them."""
        has_pictures = self._summaries is not None and (self.histograms or self.images)
        has_figures = bool(self._metrics & _SNAPSHOT_METRICS)
        is_needed = has_figures or has_pictures or self.on_histogram is not None
        return self._reader.snapshots() if is_needed else []

    def _is_slow(self, epoch: int) -> bool:
        return epoch % self.batch_epochs == 0

    def _slow_figures(self, epoch: int) -> dict[str, Figure]:
        figures = {}
        if "weight_gradient_share" in self._metrics:
            figures["weight_gradient_share"] = weight_gradient_figure(
                self._reader, probes=_KERNEL_PROBES, seed=epoch
            )
        if self._inputs is not None and self._metrics & set(_ACTIVATION_METRICS):
            found = self._inputs.snapshot(self.inputs, seed=epoch)
            figures |= input_figures(sorted(self._metrics), found)
        return figures

    def _gradient_cosine(self, epoch: int) -> dict[str, Figure]:
        if self._inputs is None or _NEEDS_LABELS not in self._metrics:
            return {}
        cosine = gradient_cosine_of(
            self._inputs,
            self.inputs,
            self.labels,
            directions=self.directions,
            seed=epoch,
        )
        return {_NEEDS_LABELS: Figure(cosine)}

    def write(
        self, epoch: int, figures: dict[str, Figure], before: list[KernelSnapshot]
    ) -> None:
        """Writes the figures of an epoch; of several workers, only the chief does.

        # Arguments
            epoch: Its number, from 0 on.
            figures: By the names of the metrics.
            before: The weights at its beginning; empty where nothing is made of them.
        """
        if self.on_histogram is not None and self._reader.kernels:
            tau = _tau_in_force(self._reader, otherwise=self.tau)
            self.on_histogram(epoch_histogram(self._before, epoch=epoch, tau=tau))
        if self._file is not None:
            self._file.append(epoch, figures)
        if self._summaries is not None:
            self._write_summaries(self._summaries, epoch, figures, before)

    def _write_summaries(
        self,
        summaries: BinarizationSummaries,
        epoch: int,
        figures: dict[str, Figure],
        before: list[KernelSnapshot],
    ) -> None:
        summaries.add_scalars(figures)
        if self.histograms and self._is_slow(epoch):
            summaries.add_histograms(self._before)
        if self.images and self._is_slow(epoch):
            summaries.add_images(before, self._before)
        summaries.write(epoch)

    @property
    def _is_chief(self) -> bool:
        return self.model.distribute_strategy.extended.should_checkpoint
