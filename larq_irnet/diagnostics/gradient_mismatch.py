r"""Gradient mismatch: whether surrogate gradients point where the loss goes down.

The derivative of a sign is zero nearly everywhere, so there is nothing to compare a
surrogate with at one point. But a threshold decides on many activations at once: where
a channel is shifted, some of them change their signs, one after the other, and the loss
moves almost continuously. That is a finite difference of the network as it is, without
any surrogate.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.diagnostics.binary_inputs import BinaryInputs

__all__ = ["directional_cosine", "gradient_cosine", "gradient_cosine_of"]


def directional_cosine(predicted: np.ndarray, measured: np.ndarray) -> float:
    r"""The cosine between two gradients, of their slopes along random directions.

    \\[
    \frac{\sum_k a_k b_k}{\sqrt{\sum_k a_k^2 \sum_k b_k^2}}, \qquad
    a_k = g \cdot u_k, \quad b_k = h \cdot u_k
    \\]

    For directions \\(u_k\\) of independent normal numbers the three means tend to
    \\(g \cdot h\\), \\(\|g\|^2\\) and \\(\|h\|^2\\), so this tends to the cosine
    between \\(g\\) and \\(h\\), whatever their dimension is.

    # Arguments
        predicted: Slopes \\(a\\), [K].
        measured: Slopes \\(b\\) along the same directions, [K].

    # Returns
        A number in [-1, 1]; NaN where all slopes of one side are zero, or one is NaN.

    # Raises
        ValueError: if there are not as many of each, or none.

    # Example
        >>> directional_cosine(np.array([3.0, -4.0]), np.array([6.0, -8.0]))
        1.0
    """
    a, b = (np.asarray(slopes, np.float64) for slopes in (predicted, measured))
    if a.shape != b.shape or a.size == 0:
        raise ValueError(
            f"Expected slopes along the same directions, got {a.shape} and {b.shape}."
        )
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if not all(np.isfinite(lengths)) or 0 in lengths:
        return float("nan")
    return float(np.clip((a / lengths[0]) @ (b / lengths[1]), -1, 1))


def gradient_cosine(
    model: tf.keras.Model,
    inputs: Any,
    labels: Any,
    *,
    loss: Callable[[Any, Any], tf.Tensor],
    directions: int = 16,
    step: float = 0.3,
    seed: int = 0,
) -> float:
    r"""The cosine between surrogate gradient and finite differences, on one batch.

    A shift \\(\beta_{l,c}\\) is added to channel \\(c\\) of what layer \\(l\\)
    binarizes, in units of the mean magnitude \\(m_l\\) of its inputs in the batch:

    \\[
    x_l \to \mathrm{sign}(x_l + m_l \beta_l)
    \\]

    At \\(\beta = 0\\) the loss \\(L(\beta)\\) has a gradient \\(g\\) by the surrogates
    of the activations. Along directions \\(u_k\\) of independent standard normal
    numbers it is compared with central differences of the network itself:

    \\[
    a_k = g \cdot u_k, \qquad
    b_k = \frac{L(\delta u_k) - L(-\delta u_k)}{2 \delta}
    \\]

    by `directional_cosine`. It is 1 where the surrogates predict how the loss answers
    to every small move of the thresholds, 0 where they know nothing of it. The step
    \\(\delta\\) sets over how many activations, those between the old and the new
    threshold, the loss is averaged: with a small one few signs change, and the noise of
    the steps of \\(L\\) brings the cosine towards zero. What \\(L\\) does beyond first
    order in \\(\delta\\) counts as mismatch, too.

    The weights are as they are, so this is the mismatch of the activations, whose
    thresholds have a few hundred dimensions. Weights have too many: of a ResNet-20 on
    digits, 200 random directions did not tell their cosine from zero.

    The model is in inference mode, with its moving averages; only the surrogates are
    those of training. It takes one pass forwards and backwards and twice `directions`
    passes forwards. The standard deviation of the result is about
    \\((1 - c^2) / \sqrt{K}\\) for a cosine \\(c\\) and \\(K\\) directions: 0.25 at zero
    for the default. Average over epochs, or take more directions.

    # Arguments
        model: A built Keras model whose binary layers have their channels last.
        inputs: Of the model, one batch.
        labels: What the loss compares its outputs with.
        loss: Gives the loss of labels and outputs, such as a `tf.keras.losses.Loss`.
        directions: \\(K\\), at least 1.
        step: \\(\delta\\), positive.
        seed: Sets the directions.

    # Returns
        A number in [-1, 1]; NaN where the loss or its surrogate gradient does not
        change, or is not finite.

    # Raises
        ValueError: for an argument out of range, or a model without binary inputs.

    # Example
        >>> import larq_irnet as irnet
        >>> tf.keras.utils.set_random_seed(0)
        >>> model = tf.keras.Sequential(
        ...     [irnet.layers.QuantDense(1, quantizer="ste_sign", input_shape=(8,))]
        ... )
        >>> cosine = gradient_cosine(
        ...     model,
        ...     tf.random.normal((512, 8)),
        ...     tf.zeros((512, 1)),
        ...     loss=lambda labels, outputs: outputs - labels,
        ... )
        >>> cosine > 0.9  # one linear layer: all that is wrong is the height
        True

    # References
        - [BinaryDuo: Reducing Gradient Mismatch in Binary Activation Network by
            Coupling Binary Activations](https://arxiv.org/abs/2002.06517), which
            compares surrogate gradients with those of a smoothed loss
    """
    return gradient_cosine_of(
        BinaryInputs(model, loss),
        inputs,
        labels,
        directions=directions,
        step=step,
        seed=seed,
    )


def gradient_cosine_of(
    binary_inputs: BinaryInputs,
    inputs: Any,
    labels: Any,
    *,
    directions: int = 16,
    step: float = 0.3,
    seed: int = 0,
) -> float:
    """`gradient_cosine` of a model that is looked at repeatedly, traced only once.

    # Arguments
        binary_inputs: The model, with a loss.
        inputs: As for `gradient_cosine`.
        labels: The same.
        directions: The same.
        step: The same.
        seed: The same.

    # Raises
        ValueError: for an argument out of range.
    """
    if directions < 1:
        raise ValueError(f"Expected `directions` to be at least 1, got {directions!r}.")
    if not 0 < step < np.inf:
        raise ValueError(f"Expected 0 < `step` < infinity, got {step!r}.")
    gradients, units = binary_inputs.gradients(inputs, labels)
    generator = np.random.default_rng(seed)
    predicted, measured = [], []
    for _ in range(directions):
        direction = [generator.standard_normal(one.shape) for one in gradients]
        shifts = [
            (step * unit * one).astype(np.float32)
            for unit, one in zip(units, direction)
        ]
        ahead = binary_inputs.loss(inputs, labels, shifts)
        behind = binary_inputs.loss(inputs, labels, [-shift for shift in shifts])
        measured.append((ahead - behind) / (2 * step))
        predicted.append(
            sum(
                unit * float(gradient @ one)
                for unit, gradient, one in zip(units, gradients, direction)
            )
        )
    return directional_cosine(np.array(predicted), np.array(measured))
