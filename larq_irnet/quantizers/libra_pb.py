r"""Libra-PB, Libra Parameter Binarization of IR-Net.

Each filter is balanced (zero mean, so that both signs are equally likely and the
binary kernel carries the most information) and standardised before its sign is taken,
then scaled by a power of two.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.filter_standardization import (
    StandardizedKernel,
    elements_per_filter,
    reduced_axes,
    standardize_filters,
)
from larq_irnet.half_precision import cast_within_range
from larq_irnet.quantizers.ede import EDEQuantizer, ede_sign, steepness_and_slope

__all__ = ["LibraPB", "binarize_filters", "libra_pb"]


def _power_of_two_scale(standardized: StandardizedKernel, axes: list[int]) -> tf.Tensor:
    """2^s with s = round(log2(mean |what|)), half to even; 1 for a constant filter."""
    mean_magnitude = tf.reduce_mean(tf.abs(standardized.kernel), axes, keepdims=True)
    log2 = tf.math.log(mean_magnitude) / math.log(2.0)
    # A tie, as in every filter of two elements, is to be a tie in spite of rounding.
    ulps = 64 * np.finfo(log2.dtype.as_numpy_dtype).eps
    s = tf.round(tf.round(log2 / ulps) * ulps)
    s = tf.where(standardized.is_constant, tf.zeros_like(s), s)
    return tf.pow(tf.constant(2.0, s.dtype), s)


def _standardization_gradient(
    h: tf.Tensor, standardized: StandardizedKernel, axes: list[int]
) -> tf.Tensor:
    """The gradient through mean and deviation, of `h` in place of dL/dwhat."""
    what = standardized.kernel
    n = elements_per_filter(what.shape, axes)
    radial = tf.reduce_sum(h * what, axes, keepdims=True) / (n - 1)
    tangential = h - tf.reduce_mean(h, axes, keepdims=True) - what * radial
    return tangential * standardized.inverse_deviation


def binarize_filters(
    w: tf.Tensor,
    constants: Callable[[tf.Tensor], tuple[tf.Tensor | float, tf.Tensor | float]],
    axes: list[int],
    *,
    shift_scale: bool = True,
) -> tf.Tensor:
    r"""Libra-PB's forward pass, and EDE's gradient with constants by distribution.

    # Arguments
        w: Latent kernel of static shape, of at least two elements per filter.
        constants: Gives \\(t\\) and \\(k\\) for the standardised kernel.
        axes: The axes within a filter.
        shift_scale: Whether the signs are scaled by \\(2^s\\).

    # Returns
        Binary kernel of the shape and dtype of `w`.
    """

    @tf.custom_gradient
    def _call(w):
        standardized = standardize_filters(w, axes)
        what = standardized.kernel
        scale = (
            _power_of_two_scale(standardized, axes)
            if shift_scale
            else tf.ones([], what.dtype)
        )

        def grad(dy):
            steepness, slope = steepness_and_slope(*constants(what), what.dtype)
            y = tf.tanh(what * steepness)
            h = tf.raw_ops.TanhGrad(y=y, dy=tf.cast(dy, what.dtype))
            dw = _standardization_gradient(h, standardized, axes)
            return cast_within_range(dw * (scale * slope), w.dtype)

        return tf.cast(lq.math.sign(what) * scale, w.dtype), grad

    return _call(w)


def libra_pb(
    w: tf.Tensor,
    t: tf.Tensor | float = 0.1,
    k: tf.Tensor | float = 10.0,
    *,
    filter_axes: Sequence[int] = (-1,),
) -> tf.Tensor:
    r"""Balances, standardises and binarizes each filter of a kernel.

    \\[
    \hat w = \frac{w - \bar w}{\sigma(w - \bar w)}, \qquad
    s = \mathrm{round}\left(\log_2 \frac{\|\hat w\|_1}{n}\right), \qquad
    q(w) = 2^s \mathrm{sign}(\hat w)
    \\]

    with the unbiased deviation (n - 1) and rounding half to even. The gradient goes
    through the sign by EDE and exactly through mean and deviation; \\(2^s\\) counts as
    a constant. With
    \\(g = 2^s k t (1 - \tanh^2(t \hat w)) \frac{\partial L}{\partial q}\\):

    \\[
    \frac{\partial L}{\partial w} = \frac{1}{\sigma} \left(
      g - \bar g - \frac{\hat w}{n - 1} \sum g \hat w \right)
    \\]

    Where the paper is silent: a constant filter becomes all \\(+1\\) with scale 1, and
    its gradient is \\(g - \bar g\\); a filter of a single element has nothing to be
    balanced against and is binarized by `ede_sign`. Statistics of float16 and bfloat16
    kernels are computed in float32. NaN in a filter makes that filter NaN.

    # Arguments
        w: Latent kernel of any rank and floating dtype, static shape.
        t: Steepness of EDE, a positive scalar.
        k: Height of EDE, a positive scalar; no gradient flows to either.
        filter_axes: The axes that index filters; all others are reduced. The default
            fits dense and convolution kernels (..., C_in, C_out); a depthwise kernel
            (H, W, C_in, multiplier) needs `(-2, -1)`, a transposed convolution's kernel
            (H, W, C_out, C_in) `(-2,)`.

    # Returns
        Binary kernel of the shape and dtype of `w`, in {-2^s, 2^s} for each filter.

    # Raises
        ValueError: if `filter_axes` does not fit the kernel, or its shape is unknown.

    # Example
        >>> import tensorflow as tf
        >>> w = tf.constant([[0.1], [0.2], [0.6]])  # one filter of three elements
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(w)
        ...     q = libra_pb(w, t=1.0, k=1.0)
        ...     loss = tf.reduce_sum(q * [[1.0], [2.0], [3.0]])
        >>> q.numpy().ravel().tolist()
        [-1.0, -1.0, 1.0]
        >>> abs(tape.gradient(loss, w).numpy().sum()) < 1e-6  # orthogonal to shifts
        True

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Eqs. 9, 12 and 13
    """
    w = tf.convert_to_tensor(w)
    axes = reduced_axes(w.shape.rank, filter_axes)
    if elements_per_filter(w.shape, axes) == 1:
        return ede_sign(w, t, k)
    return binarize_filters(w, lambda what: (t, k), axes)


@lq.utils.register_alias("libra_pb")
@lq.utils.register_keras_custom_object
class LibraPB(EDEQuantizer):
    r"""Instantiates a serializable kernel quantizer: Libra-PB with EDE's gradient.

    \\[
    q(w) = 2^s \mathrm{sign}(\hat w), \qquad
    \hat w = \frac{w - \bar w}{\sigma(w - \bar w)}, \qquad
    s = \mathrm{round}\left(\log_2 \frac{\|\hat w\|_1}{n}\right)
    \\]

    for each output filter; see `libra_pb` for the gradient and the corner cases.
    The binary kernel is unchanged when a filter is shifted or scaled, so no weight
    constraint is needed. The scale costs nothing at run time: Larq Compute Engine folds
    it into the multiplier of the binary convolution.

    # Arguments
        t_min: EDE's \\(t\\) at the start of the training, positive.
        t_max: EDE's \\(t\\) at its end, at least `t_min`.
        filter_axes: The axes of the kernel that index filters: `(-1,)` for dense and
            convolution kernels, `(-2, -1)` for depthwise, `(-2,)` for transposed ones.
            `larq_irnet.layers` sets it; with Larq's own depthwise and transposed layers
            pass an instance.
        metrics: Larq's training metrics; `None` takes those of the surrounding
            `larq.context.metrics_scope`. Flips are counted on signs.

    # Raises
        ValueError: unless 0 < `t_min` <= `t_max` < infinity.

    # Example
        >>> import larq as lq
        >>> layer = lq.layers.QuantConv2D(8, 3, kernel_quantizer="libra_pb")
        >>> depthwise = lq.layers.QuantDepthwiseConv2D(
        ...     3, depthwise_quantizer=LibraPB(filter_axes=(-2, -1))
        ... )

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Eqs. 9, 12 and 13
    """

    def __init__(self, *, filter_axes: Sequence[int] = (-1,), **kwargs: Any):
        super().__init__(**kwargs)
        self.filter_axes = tuple(filter_axes)

    def quantize(self, inputs: tf.Tensor) -> tf.Tensor:
        return libra_pb(inputs, **self.schedule(), filter_axes=self.filter_axes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filter_axes": list(self.filter_axes)}
