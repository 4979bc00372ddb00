r"""ReCU's activation quantizer: ApproxSign on activations of unit deviation.

The forward pass is the plain sign, because dividing by a positive number changes no
sign: at run time nothing is normalised. The backward pass sees activations divided by
their deviation, so that the window of the surrogate gradient fits each sample.
"""

from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.half_precision import cast_within_range, widened

__all__ = ["NormalizedApproxSign", "normalized_approx_sign"]

_EPSILON = 1e-5


def _gradient(x: tf.Tensor, dy: tf.Tensor) -> tf.Tensor:
    axes = list(range(1, x.shape.rank))
    n = tf.cast(tf.size(x[:1]), x.dtype)
    freedom = tf.maximum(n - 1, 1)  # the variance of a single element is 0
    mean = tf.reduce_mean(x, axes, keepdims=True)
    squares = tf.math.squared_difference(x, mean)
    variance = tf.reduce_sum(squares, axes, keepdims=True) / freedom
    inverse = tf.math.reciprocal(tf.sqrt(variance + _EPSILON))  # 0 if squares overflow
    normalized = x * inverse
    half = tf.nn.relu(1 - tf.abs(normalized)) * dy
    along = tf.reduce_sum(half * normalized, axes, keepdims=True) / freedom
    return (half - (normalized - mean * inverse) * along) * (2 * inverse)


def normalized_approx_sign(x: tf.Tensor) -> tf.Tensor:
    r"""Sign with the gradient of ApproxSign on normalised activations.

    \\[
    \hat x = \frac{x}{\sqrt{\sigma^2(x) + 10^{-5}}}, \qquad
    q(x) = \mathrm{sign}(x), \qquad
    \frac{\partial q}{\partial \hat x} = \max(2 - 2 |\hat x|, 0)
    \\]

    with the unbiased variance over all of a sample but no subtraction of the mean. The
    gradient goes through the variance as well: with
    \\(g = \frac{\partial q}{\partial \hat x} \frac{\partial L}{\partial q}\\),
    \\(d^2 = \sigma^2(x) + 10^{-5}\\) and \\(n\\) elements in a sample,

    \\[
    \frac{\partial L}{\partial x} = \frac{1}{d} \left(
      g - \frac{x - \bar x}{d} \cdot \frac{\sum g \hat x}{n - 1} \right)
    \\]

    Statistics of float16 and bfloat16 activations are computed in float32. The variance
    of a sample of one element counts as zero.

    # Arguments
        x: Activations [N, ...] of any floating dtype.

    # Returns
        Signs, of the shape and dtype of `x`.

    # Raises
        ValueError: if the rank of `x` is unknown, or less than 2.

    # Example
        >>> import tensorflow as tf
        >>> x = tf.constant([[-4.0, -1.0, 1.0, 4.0]])  # one sample, deviation 3.37
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = normalized_approx_sign(x)
        >>> y.numpy().tolist()
        [[-1.0, -1.0, 1.0, 1.0]]
        >>> [round(g, 3) for g in tape.gradient(y, x).numpy().ravel().tolist()]
        [0.0, 0.418, 0.418, 0.0]

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), the authors' code
        - [Bi-Real Net](https://arxiv.org/abs/1808.00278), Eq. 6
    """
    x = tf.convert_to_tensor(x)
    if x.shape.rank is None or x.shape.rank < 2:
        raise ValueError(
            f"Expected activations of shape [N, ...], got {x.shape}: each sample is "
            "normalised by itself."
        )

    @tf.custom_gradient
    def _call(x):
        def grad(dy):
            wide = widened(x)
            return cast_within_range(_gradient(wide, tf.cast(dy, wide.dtype)), x.dtype)

        return lq.math.sign(x), grad

    return _call(x)


@lq.utils.register_alias("normalized_approx_sign")
@lq.utils.register_keras_custom_object
class NormalizedApproxSign(lq.quantizers.NoOp):
    r"""Instantiates a serializable sign quantizer with ReCU's gradient.

    \\[
    q(x) = \begin{cases}
      -1 & x < 0 \\\
      1 & x \geq 0
    \end{cases}, \qquad
    \frac{\partial q}{\partial \hat x} = \max(2 - 2 |\hat x|, 0), \qquad
    \hat x = \frac{x}{\sqrt{\sigma^2(x) + 10^{-5}}}
    \\]

    in training, see `normalized_approx_sign`. In inference, as in the authors' code,
    the gradient is ApproxSign's, with \\(\hat x = x\\); the values are the same. In a
    training loop of your own call the model with `training=True`.

    It is for activations: it takes the first axis for that of the samples.

    # Arguments
        metrics: Larq's training metrics for this quantizer.

    # Example
        >>> import larq as lq
        >>> layer = lq.layers.QuantConv2D(
        ...     8, 3, input_quantizer="normalized_approx_sign"
        ... )

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), the authors' code
    """

    def __init__(self, **kwargs: Any):
        super().__init__(precision=1, **kwargs)

    def call(
        self, inputs: tf.Tensor, training: bool | tf.Tensor | None = None
    ) -> tf.Tensor:
        if training:  # a statement: `training` may be a tensor in a traced graph
            signs = normalized_approx_sign(inputs)
        else:
            signs = lq.quantizers.approx_sign(inputs)
        return super().call(signs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["precision"]  # always 1
        return config
