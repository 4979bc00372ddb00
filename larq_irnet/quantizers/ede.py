r"""EDE, the Error Decay Estimator of IR-Net.

The forward pass is the sign. The backward pass starts as a nearly straight line, so
that every element is updated, and ends close to the derivative of the sign, so that
updates are accurate.
"""

import math
from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.quantizers.scheduled import ScheduledQuantizer

__all__ = [
    "EDEQuantizer",
    "EDESign",
    "ede_gradient",
    "ede_schedule",
    "ede_sign",
    "steepness_and_slope",
]


def ede_schedule(
    progress: tf.Tensor | float, t_min: float = 0.1, t_max: float = 10.0
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""EDE's constants at a given share of the training.

    \\[
    t = t_{min} \left(\frac{t_{max}}{t_{min}}\right)^{progress}, \qquad
    k = \max\left(\frac{1}{t}, 1\right)
    \\]

    # Arguments
        progress: Share of the training that is done, in [0, 1].
        t_min: \\(t\\) at the start.
        t_max: \\(t\\) at the end.

    # Returns
        The scalars \\(t\\) and \\(k\\), of the dtype of `progress`.

    # Example
        >>> t, k = ede_schedule(0.5)
        >>> float(t), float(k)
        (1.0, 1.0)

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Eq. 18
    """
    progress = tf.convert_to_tensor(progress, dtype_hint=tf.float32)
    t = t_min * tf.exp(progress * math.log(t_max / t_min))
    return t, tf.maximum(1.0 / t, 1.0)


def steepness_and_slope(
    t: tf.Tensor | float, k: tf.Tensor | float, dtype: tf.DType
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""\\(t\\) and \\(k t\\) in the given dtype, multiplied in float32 at least."""
    t, k = (x if tf.is_tensor(x) else tf.constant(x, tf.float64) for x in (t, k))
    wide = tf.float32 if dtype.size < tf.float32.size else dtype
    return tf.cast(t, dtype), tf.cast(tf.cast(k, wide) * tf.cast(t, wide), dtype)


def ede_gradient(
    x: tf.Tensor, dy: tf.Tensor, t: tf.Tensor | float, k: tf.Tensor | float
) -> tf.Tensor:
    r"""\\(k t (1 - \tanh^2(t x)) \cdot dy\\), in four passes over the memory."""
    steepness, slope = steepness_and_slope(t, k, x.dtype)
    return tf.raw_ops.TanhGrad(y=tf.tanh(x * steepness), dy=dy) * slope


def ede_sign(
    x: tf.Tensor, t: tf.Tensor | float = 0.1, k: tf.Tensor | float = 10.0
) -> tf.Tensor:
    r"""Sign with the surrogate gradient of EDE.

    \\[
    q(x) = \begin{cases}
      -1 & x < 0 \\\
      1 & x \geq 0
    \end{cases}, \qquad
    \frac{\partial q(x)}{\partial x} = k t \left(1 - \tanh^2(t x)\right)
    \\]

    NaN stays NaN, in both directions.

    # Arguments
        x: Activations or weights, of any shape and floating dtype.
        t: Steepness, a positive scalar.
        k: Height, a positive scalar; no gradient flows to either.

    # Returns
        Signs, of the shape and dtype of `x`.

    # Example
        >>> import tensorflow as tf
        >>> x = tf.constant([-0.5, 0.0, 2.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = ede_sign(x, t=1.0, k=1.0)
        >>> y.numpy().tolist()
        [-1.0, 1.0, 1.0]
        >>> [round(g, 3) for g in tape.gradient(y, x).numpy().tolist()]
        [0.786, 1.0, 0.071]

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Eq. 17
    """
    x = tf.convert_to_tensor(x)

    @tf.custom_gradient
    def _call(x):
        return lq.math.sign(x), lambda dy: ede_gradient(x, dy, t, k)

    return _call(x)


class EDEQuantizer(ScheduledQuantizer):
    """Common base class of quantizers whose gradient follows EDE's schedule.

    # Arguments
        t_min: \\(t\\) at the start of the training, positive.
        t_max: \\(t\\) at its end, at least `t_min`.

    # Raises
        ValueError: unless 0 < `t_min` <= `t_max` < infinity.
    """

    def __init__(self, *, t_min: float = 0.1, t_max: float = 10.0, **kwargs: Any):
        if not 0.0 < t_min <= t_max < math.inf:
            raise ValueError(
                "Expected 0 < `t_min` <= `t_max` < infinity, got "
                f"t_min={t_min!r} and t_max={t_max!r}."
            )
        super().__init__(**kwargs)
        self.t_min = t_min
        self.t_max = t_max

    def schedule(self) -> dict[str, tf.Tensor]:
        t, k = ede_schedule(self.progress, self.t_min, self.t_max)
        return {"t": t, "k": k}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "t_min": self.t_min, "t_max": self.t_max}


@lq.utils.register_alias("ede_sign")
@lq.utils.register_keras_custom_object
class EDESign(EDEQuantizer):
    r"""Instantiates a serializable sign quantizer with the gradient of EDE.

    \\[
    q(x) = \begin{cases}
      -1 & x < 0 \\\
      1 & x \geq 0
    \end{cases}, \qquad
    \frac{\partial q(x)}{\partial x} = k t \left(1 - \tanh^2(t x)\right)
    \\]

    with \\(t\\) and \\(k\\) from `ede_schedule`. For \\(t < 1\\) the slope at zero is 1
    and the window narrows; from there on the slope at zero is \\(t\\). EDE itself does
    not cut the gradient off at \\(\pm 1\\): in IR-Net's networks the hard tanh in front
    of each binary convolution does.

    # Arguments
        t_min: \\(t\\) at the start of the training, positive.
        t_max: \\(t\\) at its end, at least `t_min`.
        metrics: Larq's training metrics for this quantizer.

    # Raises
        ValueError: unless 0 < `t_min` <= `t_max` < infinity.

    # Example
        >>> import larq as lq
        >>> layer = lq.layers.QuantConv2D(8, 3, input_quantizer="ede_sign")
        >>> quantizer = EDESign(t_min=0.1, t_max=10.0)
        >>> _ = quantizer.progress.assign(0.5)
        >>> {name: float(value) for name, value in quantizer.schedule().items()}
        {'t': 1.0, 'k': 1.0}

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Eqs. 17 and 18
    """

    def quantize(self, inputs: tf.Tensor) -> tf.Tensor:
        return ede_sign(inputs, **self.schedule())
