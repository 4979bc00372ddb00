"""Latent weights with zero mean and unit deviation for each output filter."""

from collections.abc import Sequence
from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.filter_standardization import (
    elements_per_filter,
    reduced_axes,
    standardize_filters,
)

__all__ = ["BalancedStandardized"]


@lq.utils.register_alias("balanced_standardized")
@lq.utils.register_keras_custom_object
class BalancedStandardized(tf.keras.constraints.Constraint):
    r"""Projects each filter onto zero mean and unit deviation after every update.

    \\[
    w \leftarrow \frac{w - \bar w}{\sigma(w)}
    \\]

    with the unbiased deviation (n - 1). It brings the balanced weights of Libra-PB to
    quantizers that do not balance by themselves, such as `ste_sign`. Unlike the
    quantizer `libra_pb` it changes the latent weights, not their gradient. A constant
    filter becomes zero; a filter of a single element stays as it is.

    # Arguments
        filter_axes: The axes of the kernel that index filters: `(-1,)` for dense and
            convolution kernels, `(-2, -1)` for depthwise, `(-2,)` for transposed ones.

    # Raises
        ValueError: at the first update, if `filter_axes` does not fit the kernel.

    # Example
        >>> import larq as lq
        >>> layer = lq.layers.QuantDense(
        ...     8,
        ...     kernel_quantizer="ste_sign",
        ...     kernel_constraint="balanced_standardized",
        ... )
        >>> kernel = BalancedStandardized()(tf.constant([[1.0], [2.0], [6.0]]))
        >>> [round(w, 3) for w in kernel.numpy().ravel().tolist()]
        [-0.756, -0.378, 1.134]

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Eq. 9
    """

    def __init__(self, *, filter_axes: Sequence[int] = (-1,)):
        self.filter_axes = tuple(filter_axes)

    def __call__(self, w: tf.Tensor) -> tf.Tensor:
        w = tf.convert_to_tensor(w)
        axes = reduced_axes(w.shape.rank, self.filter_axes)
        if elements_per_filter(w.shape, axes) == 1:
            return w
        return tf.cast(standardize_filters(w, axes).kernel, w.dtype)

    def get_config(self) -> dict[str, Any]:
        return {"filter_axes": list(self.filter_axes)}
