r"""IMB, Information Maximized Binarization of DIR-Net.

Each filter is balanced and standardised before its sign is taken: the balanced signs
carry the most information, and the standardised latents are the closest to them. The
forward pass is Libra-PB's, of which the paper restates the objective; the gradient is
DTE's, with the distribution of the standardised kernel.

The authors' code is not public; see `larq_irnet.quantizers.dte`.
"""

from collections.abc import Sequence
from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.filter_standardization import (
    elements_per_filter,
    reduced_axes,
    standardize_filters,
)
from larq_irnet.quantizers.dte import (
    DTEQuantizer,
    check_share_and_band,
    dte_constants,
    dte_sign,
)
from larq_irnet.quantizers.libra_pb import binarize_filters

__all__ = ["IMB", "imb"]


def imb(
    w: tf.Tensor,
    t: tf.Tensor | float = 0.1,
    *,
    epsilon: float = 0.1,
    band: float = 1.0,
    quantile: tf.Tensor | None = None,
    shift_scale: bool = True,
    filter_axes: Sequence[int] = (-1,),
) -> tf.Tensor:
    r"""Balances, standardises and binarizes each filter, with the gradient of DTE.

    \\[
    \hat w = \frac{w - \bar w}{\sigma(w - \bar w)}, \qquad
    s = \mathrm{round}\left(\log_2 \frac{\|\hat w\|_1}{n}\right), \qquad
    q(w) = 2^s \mathrm{sign}(\hat w)
    \\]

    The gradient is that of `larq_irnet.quantizers.libra_pb`, through the sign and
    exactly through mean and deviation, with \\(t_x\\) and \\(k\\) of `dte_constants`
    for the standardised kernel. The corner cases are Libra-PB's, too.

    # Arguments
        w: Latent kernel of any rank and floating dtype, static shape.
        t: Steepness of EDE's schedule, a positive scalar.
        epsilon: Share of the elements of \\(\hat w\\) that keeps gradient, in (0, 1].
        band: Up to which \\(t_x |\hat w|\\) an element counts as keeping it, positive.
        quantile: As for `dte_constants`.
        shift_scale: Whether the signs are scaled by \\(2^s\\).
        filter_axes: The axes that index filters; see `larq_irnet.quantizers.libra_pb`.

    # Returns
        Binary kernel of the shape and dtype of `w`, in {-2^s, 2^s} for each filter, or
        {-1, 1} without `shift_scale`.

    # Raises
        ValueError: for an `epsilon` or a `band` out of range, if `filter_axes` does not
            fit the kernel, or its shape is unknown.

    # Example
        >>> w = tf.constant([[0.1], [0.2], [0.6]])  # one filter of three elements
        >>> imb(w).numpy().ravel().tolist()
        [-1.0, -1.0, 1.0]

    # References
        - [Distribution-sensitive Information Retention for Accurate Binary Neural
            Network](https://arxiv.org/abs/2109.12338), the idea; see the module
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Eqs. 9, 12 and 13
    """
    check_share_and_band(epsilon, band)
    w = tf.convert_to_tensor(w)
    axes = reduced_axes(w.shape.rank, filter_axes)
    limits: dict[str, Any] = {"epsilon": epsilon, "band": band, "quantile": quantile}
    if elements_per_filter(w.shape, axes) == 1:
        return dte_sign(w, t, **limits)
    return binarize_filters(
        w,
        lambda what: dte_constants(what, t, **limits),
        axes,
        shift_scale=shift_scale,
    )


@lq.utils.register_alias("imb")
@lq.utils.register_keras_custom_object
class IMB(DTEQuantizer):
    r"""Instantiates a serializable kernel quantizer: Libra-PB with DTE's gradient.

    \\[
    q(w) = 2^s \mathrm{sign}(\hat w), \qquad
    \hat w = \frac{w - \bar w}{\sigma(w - \bar w)}, \qquad
    s = \mathrm{round}\left(\log_2 \frac{\|\hat w\|_1}{n}\right)
    \\]

    for each output filter; see `imb` for the gradient. The binary kernel is unchanged
    when a filter is shifted or scaled, so no weight constraint is needed. The scale
    costs nothing at run time: Larq Compute Engine folds it into the multiplier of the
    binary convolution.

    # Arguments
        t_min: \\(t\\) of EDE's schedule at the start of the training, positive.
        t_max: \\(t\\) at its end, at least `t_min`, unless the cap is lower.
        epsilon: Share of the standardised weights that keeps gradient, in (0, 1].
        band: Up to which \\(t_x |\hat w|\\) a weight counts as keeping it, positive.
        moving: As for `larq_irnet.quantizers.DTESign`.
        momentum: As for `larq_irnet.quantizers.DTESign`.
        shift_scale: Whether the signs are scaled by \\(2^s\\).
        filter_axes: As for `larq_irnet.quantizers.LibraPB`.
        metrics: Larq's training metrics; `None` takes those of the surrounding
            `larq.context.metrics_scope`. Flips are counted on signs.

    # Raises
        ValueError: for an argument out of range.

    # Example
        >>> import larq as lq
        >>> layer = lq.layers.QuantConv2D(8, 3, kernel_quantizer="imb")

    # References
        - [Distribution-sensitive Information Retention for Accurate Binary Neural
            Network](https://arxiv.org/abs/2109.12338), the idea; see `imb`
    """

    def __init__(
        self,
        *,
        shift_scale: bool = True,
        filter_axes: Sequence[int] = (-1,),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.shift_scale = shift_scale
        self.filter_axes = tuple(filter_axes)

    def binarized(self, inputs: tf.Tensor) -> tf.Tensor:
        axes = reduced_axes(inputs.shape.rank, self.filter_axes)
        if elements_per_filter(inputs.shape, axes) == 1:
            return inputs
        return standardize_filters(inputs, axes).kernel

    def quantize(self, inputs: tf.Tensor) -> tf.Tensor:
        return imb(
            inputs,
            **self.estimator(),
            shift_scale=self.shift_scale,
            filter_axes=self.filter_axes,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shift_scale": self.shift_scale,
            "filter_axes": list(self.filter_axes),
        }
