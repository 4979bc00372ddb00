"""A quantizer whose surrogate gradient changes while the network trains.

A scheduled quantizer holds one number, `progress`, the share of the training that is
done. The constants of its gradient, such as t and k of EDE, follow from it by a pure
function. `larq_irnet.callbacks.EstimatorScheduler` writes `progress`; nothing of it has
to be saved, and inference never depends on it.
"""

import abc
from typing import Any

import larq as lq
import tensorflow as tf

__all__ = ["ScheduledQuantizer"]


class ScheduledQuantizer(lq.quantizers.NoOp, abc.ABC):
    """Common base class of binary quantizers with a schedule.

    Extends Larq's `NoOp`, its marker for "this variable has one bit, and needs no
    weight clipping": thus Larq counts flips inside `larq.context.metrics_scope`, hides
    the state from `weights`, `count_params` and `larq.models.summary`, and does not
    warn of starved weights. Subclasses implement `quantize` and `schedule`.

    `progress` follows the number of bits of the layer's variables: float64 under a
    float64 policy, else float32. It is part of TensorFlow's object-based checkpoints
    but not of Keras weights, so weights move freely to and from a model with
    `ste_sign`.
    An instance that is shared by two layers has one `progress`.

    # Arguments
        metrics: Larq's training metrics for this quantizer; `None` takes those of
            `larq.context.metrics_scope` if it is a kernel quantizer.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(precision=1, **kwargs)
        self._progress = tf.Variable(
            0.0,
            trainable=False,
            name="progress",
            dtype=tf.float64 if self.variable_dtype == "float64" else tf.float32,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    @property
    def progress(self) -> tf.Variable:
        """Share of the training that is done: a scalar in [0, 1], 0 at first."""
        return self._progress

    @abc.abstractmethod
    def schedule(self) -> dict[str, tf.Tensor]:
        """The estimator's constants at the present `progress`, by symbol."""

    @abc.abstractmethod
    def quantize(self, inputs: tf.Tensor) -> tf.Tensor:
        """Binarizes `inputs`, with the surrogate gradient of the present `progress`."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        outputs = self.quantize(inputs)
        if hasattr(self, "flip_ratio"):
            super().call(lq.math.sign(outputs))  # counts flips of signs, not of scales
        return outputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["precision"]  # always 1
        return config

    def save_own_variables(self, store: Any) -> None:
        """Saves nothing: `progress` follows from the epoch."""

    def load_own_variables(self, store: Any) -> None:
        """Loads nothing, whatever quantizer the weights were saved with."""
