"""The initial weights of PyTorch networks, as Keras initializers.

Each call makes a fresh initializer, so that no two layers share a random stream.
"""

import math

import tensorflow as tf

__all__ = [
    "BN_GAMMAS",
    "bn_gamma",
    "default_bias",
    "default_depthwise_kernel",
    "default_kernel",
    "kaiming_normal",
]

BN_GAMMAS = ("ones", "uniform", "near_zero")

_NEAR_ZERO = 1e-8


def kaiming_normal(mode: str) -> tf.keras.initializers.Initializer:
    r"""Normal with deviation \\(\sqrt{2 / fan}\\), not truncated.

    # Arguments
        mode: "fan_in", or "fan_out" (height x width x filters).
    """
    return tf.keras.initializers.VarianceScaling(2.0, mode, "untruncated_normal")


def default_kernel() -> tf.keras.initializers.Initializer:
    r"""What PyTorch gives convolutions and linear layers: uniform within
    \\(\pm 1 / \sqrt{fan_{in}}\\)."""
    return tf.keras.initializers.VarianceScaling(1.0 / 3.0, "fan_in", "uniform")


def default_depthwise_kernel() -> tf.keras.initializers.Initializer:
    r"""What PyTorch gives depthwise convolutions, whose filters see one channel:
    uniform within \\(\pm 1 / \sqrt{height \times width}\\)."""
    # Keras counts all channels as inputs of a filter, and one as its output
    return tf.keras.initializers.VarianceScaling(1.0 / 3.0, "fan_out", "uniform")


def default_bias(fan_in: int) -> tf.keras.initializers.Initializer:
    r"""What PyTorch gives biases: uniform within \\(\pm 1 / \sqrt{fan_{in}}\\).

    # Arguments
        fan_in: Number of inputs of each unit.
    """
    limit = 1.0 / math.sqrt(fan_in)
    return tf.keras.initializers.RandomUniform(-limit, limit)


def bn_gamma(name: str) -> tf.keras.initializers.Initializer:
    """The initial scale of batch normalisations.

    # Arguments
        name: "ones", as in Keras and today's PyTorch, or "uniform" in [0, 1), as in
            PyTorch up to 1.1, which several published networks were trained with, or
            "near_zero", 1e-8.

    # Raises
        ValueError: for another name.
    """
    if name not in BN_GAMMAS:
        raise ValueError(f"Expected `bn_gamma` out of {list(BN_GAMMAS)}, got {name!r}.")
    if name == "uniform":
        return tf.keras.initializers.RandomUniform(0.0, 1.0)
    if name == "near_zero":
        return tf.keras.initializers.Constant(_NEAR_ZERO)
    return tf.keras.initializers.Ones()
