"""How many elements of a tensor its quantizer lets gradient through to."""

import math
from collections.abc import Callable, Sequence

import tensorflow as tf

__all__ = ["surrogate_share"]


def _check(x: tf.Tensor, group_axes: Sequence[int], probes: int) -> None:
    if x.shape.rank is None or not all(
        -x.shape.rank <= axis < x.shape.rank for axis in group_axes
    ):
        raise ValueError(
            f"Expected `group_axes` within the axes of a tensor of shape {x.shape}, "
            f"got {tuple(group_axes)}."
        )
    if probes < 1:
        raise ValueError(f"Expected `probes` to be at least 1, got {probes!r}.")


def surrogate_share(
    quantizer: Callable[[tf.Tensor], tf.Tensor],
    x: tf.Tensor,
    *,
    group_axes: Sequence[int],
    probes: int = 8,
    seed: int | tf.Tensor = 0,
) -> tf.Tensor:
    r"""Share of the elements whose surrogate gradient is not zero.

    \\[
    \frac{1}{N} \left|\left\{ i :
      \frac{\partial q_i}{\partial x_i} \neq 0 \right\}\right|
    \\]

    with the surrogate gradient of the quantizer in place of the derivative. What counts
    is the gradient of an element's own sign: where a quantizer divides by a deviation,
    all elements of a filter get a little of the gradients of the others.

    It is exact for a random sample of elements, `probes` out of each group: a pass
    backwards from one element of each group gives their own derivatives, as groups have
    no part in each other. So the standard deviation of the result is at most
    \\(1 / (2 \sqrt{m})\\) with \\(m\\) the probes times the groups, 2 % for 8 probes of
    64 filters. It takes one pass forwards through the quantizer and `probes` backwards.

    A gradient that is too small for the precision of `x` is zero, such as EDE's far
    from zero when \\(t\\) has grown.

    # Arguments
        quantizer: A binary quantizer with a surrogate gradient.
        x: What it binarizes, of static rank.
        group_axes: The axes that index what the quantizer treats one by one: the filter
            axes of a kernel, `(0,)` for the samples of activations.
        probes: Elements to look at in each group, drawn with replacement; at least 1.
        seed: Sets which.

    # Returns
        The share, a float32 scalar in [0, 1]; NaN if there is NaN in the gradients.

    # Raises
        ValueError: if `group_axes` does not fit, or `probes` is below 1.

    # Example
        >>> import larq as lq
        >>> x = tf.constant([[-2.0, -1.5, 3.0], [0.5, 0.1, -0.5]])  # two samples
        >>> float(surrogate_share(lq.quantizers.ste_sign, x, group_axes=(0,)))
        0.5
    """
    x = tf.convert_to_tensor(x)
    _check(x, group_axes, probes)
    first = [axis % x.shape.rank for axis in group_axes]
    order = first + [axis for axis in range(x.shape.rank) if axis not in first]
    # as many copies of each group as probes: no statistic of the tensor changes
    copies = tf.concat([x] * probes, first[0])
    shape = tf.gather(tf.shape(copies), order)
    groups = tf.reduce_prod(shape[: len(first)])
    size = tf.reduce_prod(shape[len(first) :])
    chosen = tf.random.stateless_uniform([groups], (seed, 0), 0, size, tf.int32)

    with tf.GradientTape() as tape:
        tape.watch(copies)
        binary = quantizer(copies)
    one_hot = tf.reshape(tf.one_hot(chosen, size, dtype=binary.dtype), shape)
    gradient = tape.gradient(
        binary,
        copies,
        tf.transpose(one_hot, [order.index(axis) for axis in range(len(order))]),
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    gradient = tf.reshape(tf.transpose(gradient, order), [groups, size])
    own = tf.gather(gradient, chosen, axis=1, batch_dims=1)
    share = tf.reduce_mean(tf.cast(own != 0, tf.float32))
    has_nan = tf.reduce_any(tf.math.is_nan(own))
    return tf.where(has_nan, tf.constant(math.nan), share)
