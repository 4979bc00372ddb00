r"""DTE, the Distribution-sensitive Two-stage Estimator of DIR-Net.

The forward pass is the sign. The backward pass follows EDE, from nearly a straight line
to nearly a step, but never becomes so narrow that fewer than a share
\\(\varepsilon\\) of the elements is updated: the steepness is capped by the
distribution of what is binarized.

The authors' code is not public. This is our reading of the paper's abstract and of its
figure, in which a band around zero is marked "\\(\geq \varepsilon\\)"; every choice is
an argument, and none is known to be the authors'.
"""

import math
from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.quantizers.ede import EDEQuantizer, ede_gradient
from larq_irnet.quantizers.magnitude_quantile import magnitude_quantile, share_within

__all__ = [
    "DTEQuantizer",
    "DTESign",
    "check_share_and_band",
    "dte_constants",
    "dte_sign",
]


def check_share_and_band(epsilon: float, band: float) -> None:
    """Makes sure that these are arguments of DTE.

    # Raises
        ValueError: unless 0 < `epsilon` <= 1 and 0 < `band` < infinity.
    """
    if not 0.0 < epsilon <= 1.0:
        raise ValueError(f"Expected 0 < `epsilon` <= 1, got {epsilon!r}.")
    if not 0.0 < band < math.inf:
        raise ValueError(f"Expected 0 < `band` < infinity, got {band!r}.")


def dte_constants(
    x: tf.Tensor,
    t: tf.Tensor | float,
    *,
    epsilon: float = 0.1,
    band: float = 1.0,
    quantile: tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""EDE's constants, capped so that enough of a tensor keeps its gradient.

    \\[
    t_x = \min\left(t, \frac{b}{Q_\varepsilon(|x|)}\right), \qquad
    k = \max\left(\frac{1}{t_x}, 1\right)
    \\]

    where \\(Q_\varepsilon\\) is the smallest magnitude that a share
    \\(\varepsilon\\) of the elements does not exceed. Then at least that share lies in
    the band \\(|x| \leq b / t_x\\), in which the surrogate gradient is at least
    \\(1 - \tanh^2 b\\) of its peak.

    # Arguments
        x: What is binarized, of any shape and floating dtype.
        t: Steepness of EDE's schedule, a positive scalar.
        epsilon: The share, in (0, 1].
        band: \\(b\\), positive.
        quantile: \\(Q_\varepsilon\\) if it is known, such as a moving average; `None`
            takes that of `x`.

    # Returns
        The scalars \\(t_x\\) and \\(k\\), in float32, or float64 for float64 `x`.

    # Example
        >>> x = tf.constant([-4.0, -2.0, 0.5, 3.0])
        >>> t, k = dte_constants(x, 10.0, epsilon=0.5)  # two of four: |x| <= 2
        >>> float(t), float(k)
        (0.5, 2.0)

    # References
        - [Distribution-sensitive Information Retention for Accurate Binary Neural
            Network](https://arxiv.org/abs/2109.12338), the idea; see the module
    """
    dtype = tf.float64 if x.dtype == tf.float64 else tf.float32
    t = t if tf.is_tensor(t) else tf.constant(t, tf.float64)
    t = tf.cast(tf.stop_gradient(t), dtype)
    if quantile is None:
        magnitudes = tf.reshape(tf.cast(x, dtype), [-1])
        limits = (tf.constant(value, tf.float64) for value in (epsilon, band))
        t = _CAPPED_BY_TENSOR[dtype](magnitudes, t, *limits)
    else:
        t = _capped(t, tf.cast(quantile, dtype), tf.constant(band, dtype))
    # infinite elements: t has to stay a number that `x` and its own inverse can hold
    t = tf.maximum(t, 1.0 / min(x.dtype.max, _LARGEST))
    return t, tf.maximum(1.0 / t, 1.0)


_LARGEST = 1e30


def _capped(t: tf.Tensor, quantile: tf.Tensor, band: tf.Tensor) -> tf.Tensor:
    return band / tf.maximum(band / t, quantile)  # a quantile may be zero


def _capped_by_tensor(
    x: tf.Tensor, t: tf.Tensor, epsilon: tf.Tensor, band: tf.Tensor
) -> tf.Tensor:
    band = tf.cast(band, t.dtype)
    # The cap seldom binds: one pass over the tensor finds that out.
    return tf.cond(
        share_within(x, band / t) >= epsilon,
        lambda: t,
        lambda: _capped(t, magnitude_quantile(x, epsilon), band),
    )


# Traced once for all layers of all networks: their graphs hold a call each, in place of
# a condition and a loop.
_CAPPED_BY_TENSOR = {
    dtype: tf.function(
        _capped_by_tensor,
        input_signature=[
            tf.TensorSpec([None], dtype),
            tf.TensorSpec([], dtype),
            tf.TensorSpec([], tf.float64),
            tf.TensorSpec([], tf.float64),
        ],
        autograph=False,
    )
    for dtype in (tf.float32, tf.float64)
}


def dte_sign(
    x: tf.Tensor,
    t: tf.Tensor | float = 0.1,
    *,
    epsilon: float = 0.1,
    band: float = 1.0,
    quantile: tf.Tensor | None = None,
) -> tf.Tensor:
    r"""Sign with the surrogate gradient of DTE.

    \\[
    q(x) = \begin{cases}
      -1 & x < 0 \\\
      1 & x \geq 0
    \end{cases}, \qquad
    \frac{\partial q(x)}{\partial x} = k t_x \left(1 - \tanh^2(t_x x)\right)
    \\]

    with \\(t_x\\) and \\(k\\) from `dte_constants`; they count as constants.

    # Arguments
        x: Activations or weights, of any shape and floating dtype.
        t: Steepness of EDE's schedule, a positive scalar.
        epsilon: Share of the elements that keeps gradient, in (0, 1].
        band: Up to which \\(t_x |x|\\) an element counts as keeping it, positive.
        quantile: As for `dte_constants`.

    # Returns
        Signs, of the shape and dtype of `x`.

    # Raises
        ValueError: for an `epsilon` or a `band` out of range.

    # Example
        >>> x = tf.constant([-4.0, -2.0, 0.5, 3.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = dte_sign(x, t=10.0, epsilon=0.5)
        >>> y.numpy().tolist()
        [-1.0, -1.0, 1.0, 1.0]
        >>> [round(g, 3) for g in tape.gradient(y, x).numpy().tolist()]  # t is 0.5
        [0.071, 0.42, 0.94, 0.181]

    # References
        - [Distribution-sensitive Information Retention for Accurate Binary Neural
            Network](https://arxiv.org/abs/2109.12338), the idea; see the module
    """
    check_share_and_band(epsilon, band)
    x = tf.convert_to_tensor(x)

    @tf.custom_gradient
    def _call(x):
        def grad(dy):
            constants = dte_constants(
                x, t, epsilon=epsilon, band=band, quantile=quantile
            )
            return ede_gradient(x, dy, *constants)

        return lq.math.sign(x), grad

    return _call(x)


_UNKNOWN = -1.0  # what no magnitude is


class DTEQuantizer(EDEQuantizer):
    """Common base class of quantizers whose gradient is DTE's.

    # Arguments
        t_min: \\(t\\) of EDE's schedule at the start of the training, positive.
        t_max: \\(t\\) at its end, at least `t_min`, unless the cap is lower.
        epsilon: Share of the elements that keeps gradient, in (0, 1].
        band: Up to which \\(t |x|\\) an element counts as keeping it, positive.
        moving: Whether the cap follows a moving average of the quantile over the
            batches of the training, in place of the quantile of each tensor. Then the
            share is kept on average only.
        momentum: Of the moving average, in [0, 1).

    # Raises
        ValueError: for an argument out of range.
    """

    def __init__(
        self,
        *,
        epsilon: float = 0.1,
        band: float = 1.0,
        moving: bool = False,
        momentum: float = 0.99,
        **kwargs: Any,
    ):
        check_share_and_band(epsilon, band)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"Expected 0 <= `momentum` < 1, got {momentum!r}.")
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.band = band
        self.moving = moving
        self.momentum = momentum
        self._moving_quantile = tf.Variable(
            _UNKNOWN,
            trainable=False,
            name="moving_quantile",
            dtype=self.progress.dtype,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )

    @property
    def moving_quantile(self) -> tf.Variable:
        """The moving average, a scalar; -1 before the first batch of a training."""
        return self._moving_quantile

    def binarized(self, inputs: tf.Tensor) -> tf.Tensor:
        """What the sign is taken of, and what its distribution counts."""
        return inputs

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if self.moving and training:
            self._follow(magnitude_quantile(self.binarized(inputs), self.epsilon))
        return super().call(inputs)

    def _follow(self, quantile: tf.Tensor) -> None:
        average = tf.convert_to_tensor(self._moving_quantile)
        quantile = tf.cast(quantile, average.dtype)
        moved = average + (1.0 - self.momentum) * (quantile - average)
        self._moving_quantile.assign(tf.where(average < 0.0, quantile, moved))

    def estimator(self) -> dict[str, Any]:
        """The arguments of DTE's gradient at the present `progress`."""
        return {
            "t": self.schedule()["t"],
            "epsilon": self.epsilon,
            "band": self.band,
            "quantile": self._moving_quantile if self.moving else None,
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "band": self.band,
            "moving": self.moving,
            "momentum": self.momentum,
        }


@lq.utils.register_alias("dte_sign")
@lq.utils.register_keras_custom_object
class DTESign(DTEQuantizer):
    r"""Instantiates a serializable sign quantizer with the gradient of DTE.

    \\[
    q(x) = \begin{cases}
      -1 & x < 0 \\\
      1 & x \geq 0
    \end{cases}, \qquad
    \frac{\partial q(x)}{\partial x} = k t_x \left(1 - \tanh^2(t_x x)\right)
    \\]

    with \\(t\\) from `ede_schedule` and \\(t_x\\) from `dte_constants`. The
    distribution is that of all elements of the tensor: of one batch and one replica.

    # Arguments
        t_min: \\(t\\) of EDE's schedule at the start of the training, positive.
        t_max: \\(t\\) at its end, at least `t_min`, unless the cap is lower.
        epsilon: Share of the elements that keeps gradient, in (0, 1].
        band: Up to which \\(t_x |x|\\) an element counts as keeping it, positive.
        moving: Whether the cap follows a moving average of the quantile over the
            batches of the training, in place of the quantile of each tensor. Then the
            share is kept on average only.
        momentum: Of the moving average, in [0, 1).
        metrics: Larq's training metrics for this quantizer.

    # Raises
        ValueError: for an argument out of range.

    # Example
        >>> import larq as lq
        >>> layer = lq.layers.QuantConv2D(8, 3, input_quantizer="dte_sign")
        >>> DTESign(epsilon=0.2).get_config()["epsilon"]
        0.2

    # References
        - [Distribution-sensitive Information Retention for Accurate Binary Neural
            Network](https://arxiv.org/abs/2109.12338), the idea; see `dte_sign`
    """

    def quantize(self, inputs: tf.Tensor) -> tf.Tensor:
        return dte_sign(inputs, **self.estimator())
