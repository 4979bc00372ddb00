r"""ReCU, the Rectified Clamp Unit: a kernel quantizer that revives dead weights.

Weights far out in the tails of their distribution hardly ever change their sign: they
are dead. ReCU clamps the standardised weights of a layer between two quantiles, which
changes no sign, but stops what lies outside from being pushed further out; in the
course of the training the quantiles move outwards.
"""

import math
from collections.abc import Sequence
from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.filter_normalization import normalization_gradient, normalize_filters
from larq_irnet.filter_standardization import reduced_axes
from larq_irnet.half_precision import cast_within_range
from larq_irnet.quantizers.scheduled import ScheduledQuantizer

__all__ = ["ReCU", "laplace_quantile", "recu_scale", "recu_schedule", "recu_sign"]


def recu_schedule(
    progress: tf.Tensor | float, tau_min: float = 0.85, tau_max: float = 0.99
) -> tf.Tensor:
    r"""ReCU's quantile at a given share of the training.

    \\[
    \tau = A e^{progress} + B, \qquad
    A = \frac{\tau_{max} - \tau_{min}}{e - 1}, \qquad B = \tau_{min} - A
    \\]

    # Arguments
        progress: Share of the training that is done, in [0, 1].
        tau_min: \\(\tau\\) at the start.
        tau_max: \\(\tau\\) at the end.

    # Returns
        The scalar \\(\tau\\), of the dtype of `progress`.

    # Example
        >>> [round(float(recu_schedule(p)), 4) for p in (0.0, 0.5, 1.0)]
        [0.85, 0.9029, 0.99]

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Eq. 24
    """
    progress = tf.convert_to_tensor(progress, dtype_hint=tf.float32)
    growth = (tau_max - tau_min) / (math.e - 1)
    tau = growth * tf.exp(progress) + (tau_min - growth)
    return tf.minimum(tau, tf.constant(tau_max, tau.dtype))  # rounding may pass it


def _checked(tau: tf.Tensor | float) -> tf.Tensor:
    """The quantile as a tensor; a number is made sure of."""
    if tf.is_tensor(tau):
        return tau
    if not 0.5 <= tau <= 1.0:
        raise ValueError(f"Expected 0.5 <= `tau` <= 1, got {tau!r}.")
    return tf.constant(tau, tf.float64)


def laplace_quantile(mean_magnitude: tf.Tensor, tau: tf.Tensor | float) -> tf.Tensor:
    r"""The quantile \\(Q(\tau) = -b \ln(2 - 2 \tau)\\) of a Laplace distribution.

    # Arguments
        mean_magnitude: \\(b = E|w|\\) of a distribution around zero.
        tau: Share of the distribution that is below the quantile, in [0.5, 1].

    # Returns
        The quantile, of the shape and dtype of `mean_magnitude`; infinite for 1.

    # Raises
        ValueError: if `tau` is a number outside [0.5, 1].

    # Example
        >>> round(float(laplace_quantile(tf.constant(2.0), 0.99)), 2)
        7.82

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Eqs. 10 and 11
    """
    tau = _checked(tau)
    in_units_of_b = tf.cast(-tf.math.log(2.0 - 2.0 * tau), mean_magnitude.dtype)
    return tf.math.multiply_no_nan(in_units_of_b, mean_magnitude)  # 0 x Inf is 0


def _check_b_star(b_star: float) -> None:
    """Raises a `ValueError` unless `b_star` is positive and finite."""
    if not 0.0 < b_star < math.inf:
        raise ValueError(f"Expected 0 < `b_star` < infinity, got {b_star!r}.")


def recu_sign(
    w: tf.Tensor,
    tau: tf.Tensor | float = 1.0,
    *,
    b_star: float = 2.0,
    centered: bool = True,
    filter_axes: Sequence[int] = (-1,),
) -> tf.Tensor:
    r"""Sign of the balanced weights, with a gradient between two quantiles only.

    \\[
    \hat w = \sqrt 2 b^* \frac{w - \bar w}{\sqrt{\sigma^2(w) + 10^{-5}}}, \qquad
    q(w) = \mathrm{sign}(\hat w)
    \\]

    for each filter, with the unbiased variance (n - 1), and with the quantile
    \\(Q(\tau) = -E|\hat w| \ln(2 - 2 \tau)\\) of the whole layer

    \\[
    \frac{\partial q}{\partial \hat w} = \begin{cases}
      1 & |\hat w| \leq Q(\tau) \\\
      0 & |\hat w| > Q(\tau)
    \end{cases}
    \\]

    as the clamp between \\(\pm Q\\) in front of the sign has it. The gradient then
    goes exactly through mean and variance; \\(Q\\) counts as a constant. With
    \\(g = \frac{\partial q}{\partial \hat w} \frac{\partial L}{\partial q}\\) and
    \\(d^2 = \sigma^2(w) + 10^{-5}\\):

    \\[
    \frac{\partial L}{\partial w} = \frac{\sqrt 2 b^*}{d} \left(g - \bar g -
      \frac{w - \bar w}{d} \cdot \frac{\sum g \hat w}{\sqrt 2 b^* (n - 1)}\right)
    \\]

    So weights outside still move a little, with their filter. The values never depend
    on \\(\tau\\) or \\(b^*\\).

    Where paper and code are silent: a constant filter becomes all \\(+1\\), a filter of
    a single element is neither centred nor scaled. Statistics of float16 and
    bfloat16 kernels are computed in float32. NaN in a filter makes that filter NaN, and
    nothing is clamped in the others.

    # Arguments
        w: Latent kernel of any rank and floating dtype, static shape.
        tau: Quantile, a scalar in [0.5, 1]; 1 clamps nothing.
        b_star: Scale of the Laplace distribution that the kernel is brought to, whose
            deviation is \\(\sqrt 2 b^*\\).
        centered: Whether filters lose their mean, as in the authors' code; without, as
            in the paper, \\(\hat w = \sqrt 2 b^* w / d\\) and \\(\bar g\\) is left out.
        filter_axes: The axes that index filters; all others are reduced. The default
            fits dense and convolution kernels (..., C_in, C_out).

    # Returns
        Binary kernel of the shape and dtype of `w`, in {-1, 1}.

    # Raises
        ValueError: if `tau` is a number outside [0.5, 1], `b_star` is not positive,
            `filter_axes` does not fit the kernel, or its shape is unknown.

    # Example
        >>> import tensorflow as tf
        >>> w = tf.constant([[-0.2], [-0.1], [0.0], [0.1], [1.2]])  # one filter
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(w)
        ...     q = recu_sign(w, tau=0.7)
        ...     loss = tf.reduce_sum(q)
        >>> q.numpy().ravel().tolist()  # the mean is 0.2
        [-1.0, -1.0, -1.0, -1.0, 1.0]
        >>> abs(tape.gradient(loss, w).numpy().sum()) < 1e-5  # orthogonal to shifts
        True

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Eqs. 8, 10 and 19 to 22
    """
    _check_b_star(b_star)
    tau = _checked(tau)
    w = tf.convert_to_tensor(w)
    axes = reduced_axes(w.shape.rank, filter_axes)

    @tf.custom_gradient
    def _call(w):
        normalized = normalize_filters(w, axes, b_star, centered)
        kernel = normalized.kernel

        def grad(dy):
            limit = laplace_quantile(tf.reduce_mean(tf.abs(kernel)), tau)
            h = tf.cast(dy, kernel.dtype)
            # not "<=": a filter with NaN makes the limit of the whole layer NaN
            h = tf.where(tf.abs(kernel) > limit, tf.zeros_like(h), h)
            dw = normalization_gradient(h, normalized, axes, b_star, centered)
            return cast_within_range(dw, w.dtype)

        return tf.cast(lq.math.sign(kernel), w.dtype), grad

    return _call(w)


def recu_scale(
    w: tf.Tensor,
    tau: tf.Tensor | float,
    *,
    b_star: float = 2.0,
    centered: bool = True,
    filter_axes: Sequence[int] = (-1,),
) -> tf.Tensor:
    r"""The paper's analytic scale \\(E|ReCU(\hat w)| = b (2 \tau - 1)\\) of a layer.

    With \\(b = E|\hat w|\\), so that the signs come closest to the clamped weights if
    these are from a Laplace distribution. The authors' code learns a scale for each
    channel instead.

    # Arguments
        w: Latent kernel of any rank and floating dtype, static shape.
        tau: Quantile, a scalar in [0.5, 1].
        b_star: As for `recu_sign`.
        centered: As for `recu_sign`.
        filter_axes: The axes that index filters.

    # Returns
        A scalar of the dtype of `w`; no gradient flows from it.

    # Raises
        ValueError: as `recu_sign`.

    # Example
        >>> import tensorflow as tf
        >>> w = tf.constant([[-1.0], [1.0]])
        >>> round(float(recu_scale(w, tau=0.75)), 3)  # of -2 and 2
        1.0

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Eqs. 13 and A1
    """
    _check_b_star(b_star)
    w = tf.convert_to_tensor(w)
    axes = reduced_axes(w.shape.rank, filter_axes)
    kernel = normalize_filters(w, axes, b_star, centered).kernel
    b = tf.reduce_mean(tf.abs(kernel))
    scale = b * tf.cast(2.0 * _checked(tau) - 1.0, b.dtype)
    return tf.stop_gradient(cast_within_range(scale, w.dtype))


@lq.utils.register_alias("recu")
@lq.utils.register_keras_custom_object
class ReCU(ScheduledQuantizer):
    r"""Instantiates a serializable kernel quantizer: signs, with ReCU's gradient.

    \\[
    q(w) = \mathrm{sign}(w - \bar w)
    \\]

    for each output filter; see `recu_sign` for the gradient and the corner cases, and
    `recu_schedule` for \\(\tau\\). At first the quantiles are narrow, which revives
    dead weights, later they are wide, which holds more information. Values never depend
    on the schedule.

    It is for kernels; `normalized_approx_sign` goes with it for activations. ReCU's
    networks follow each binary convolution by a `larq_irnet.layers.ChannelScale`.

    # Arguments
        tau_min: \\(\tau\\) at the start of the training.
        tau_max: \\(\tau\\) at its end.
        b_star: Scale of the Laplace distribution that filters are brought to.
        centered: Whether filters lose their mean, as in the authors' code but not in
            the paper.
        analytic_scale: Whether to multiply the signs by `recu_scale`, the paper's, at
            `tau_max`: with the present \\(\tau\\) inference would depend on the
            schedule, and the normalisation that follows makes training the same.
        filter_axes: The axes of the kernel that index filters: `(-1,)` for dense and
            convolution kernels, `(-2, -1)` for depthwise, `(-2,)` for transposed ones.
            `larq_irnet.layers` sets it; with Larq's own depthwise and transposed layers
            pass an instance.
        metrics: Larq's training metrics; `None` takes those of the surrounding
            `larq.context.metrics_scope`. Flips are counted on signs.

    # Raises
        ValueError: unless 0.5 <= `tau_min` <= `tau_max` <= 1 and 0 < `b_star`, and if
            `tau_max` is 0.5 with `analytic_scale`.

    # Example
        >>> import larq as lq
        >>> layer = lq.layers.QuantConv2D(
        ...     8, 3, input_quantizer="normalized_approx_sign", kernel_quantizer="recu"
        ... )
        >>> quantizer = ReCU(tau_min=0.8)
        >>> _ = quantizer.progress.assign(1.0)
        >>> {name: round(float(x), 4) for name, x in quantizer.schedule().items()}
        {'tau': 0.99}

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Eqs. 8, 10, 13, 19 to 22 and 24
    """

    def __init__(
        self,
        *,
        tau_min: float = 0.85,
        tau_max: float = 0.99,
        b_star: float = 2.0,
        centered: bool = True,
        analytic_scale: bool = False,
        filter_axes: Sequence[int] = (-1,),
        **kwargs: Any,
    ):
        if not 0.5 <= tau_min <= tau_max <= 1.0:
            raise ValueError(
                "Expected 0.5 <= `tau_min` <= `tau_max` <= 1, got "
                f"tau_min={tau_min!r} and tau_max={tau_max!r}."
            )
        _check_b_star(b_star)
        if analytic_scale and tau_max == 0.5:
            raise ValueError(
                "Expected 0.5 < `tau_max` with `analytic_scale`, which would be 0, got "
                f"tau_max={tau_max!r}."
            )
        super().__init__(**kwargs)
        self.tau_min = tau_min
        self.tau_max = tau_max
        self.b_star = b_star
        self.centered = centered
        self.analytic_scale = analytic_scale
        self.filter_axes = tuple(filter_axes)

    def schedule(self) -> dict[str, tf.Tensor]:
        return {"tau": recu_schedule(self.progress, self.tau_min, self.tau_max)}

    def quantize(self, inputs: tf.Tensor) -> tf.Tensor:
        options: dict[str, Any] = {
            "b_star": self.b_star,
            "centered": self.centered,
            "filter_axes": self.filter_axes,
        }
        signs = recu_sign(inputs, **self.schedule(), **options)
        if not self.analytic_scale:
            return signs
        return signs * recu_scale(inputs, self.tau_max, **options)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tau_min": self.tau_min,
            "tau_max": self.tau_max,
            "b_star": self.b_star,
            "centered": self.centered,
            "analytic_scale": self.analytic_scale,
            "filter_axes": list(self.filter_axes),
        }
