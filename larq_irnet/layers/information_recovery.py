"""IR2Net's information recovery: features of all depths, fused for the classifier."""

import math
from typing import Any

import tensorflow as tf

from larq_irnet.layers.grouped_conv import GroupedConv2D

__all__ = ["InformationRecovery"]

_PRELU = "prelu"
_PRELU_SLOPE = 0.25  # PyTorch's default


def _check(name: str, value: Any, is_valid: bool, expected: str) -> None:
    if not is_valid:
        raise ValueError(f"Expected `{name}` to be {expected}, got {value!r}.")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


@tf.keras.utils.register_keras_serializable(package="larq_irnet")
class InformationRecovery(tf.keras.layers.Layer):
    r"""Fuses features of several depths into those that the classifier sees (CIRec).

    A 1x1 convolution makes \\(m = \lceil filters / ratio \rceil\\) channels, and a
    grouped 3x3 convolution \\(ratio - 1\\) further ones of each of them at little cost.
    Both are in full precision, normalised and activated:

    \\[
    p = \mathrm{act}(\mathrm{BN}(W_{1 \times 1} * x)), \qquad
    q = \mathrm{act}(\mathrm{BN}(W_{3 \times 3} *_{groups} p)), \qquad
    y = [p, q]_{1 \ldots filters}
    \\]

    With a ratio of 1 there is no \\(q\\): it is a plain 1x1 convolution.

    # Arguments
        filters: Output channels.
        ratio: Output channels for each channel of the 1x1 convolution; higher ones are
            cheaper.
        groups: Of the 3x3 convolution, a divisor of \\(m\\); `None` for \\(m\\).
        activation: Name of a Keras activation, or "prelu" for a
            `tf.keras.layers.PReLU` with a slope for each channel.
        kernel_initializer: Of both convolutions; a fresh one for each is made of it.
        gamma_initializer: Of both normalisations.
        momentum: Of both normalisations.
        epsilon: Of both normalisations.
        synchronized: Whether replicas share the statistics of a batch.

    # Input shape
        [N, H, W, C], all features at the same size, such as
        `larq_irnet.recovery.pooled_taps` makes them.

    # Output shape
        [N, H, W, filters].

    # Raises
        ValueError: unless `filters`, `ratio` and `groups` are positive integers,
            `ratio` is at most `filters`, and `groups` divides \\(m\\) and
            \\(m (ratio - 1)\\).

    # Example
        >>> layer = InformationRecovery(64, ratio=4)
        >>> layer(tf.ones((2, 8, 8, 128))).shape
        TensorShape([2, 8, 8, 64])
        >>> layer.primary_conv.kernel.shape, layer.cheap_conv.kernel.shape
        (TensorShape([1, 1, 128, 16]), TensorShape([3, 3, 1, 48]))

    # References
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637), the authors' code
        - [GhostNet: More Features from Cheap
            Operations](https://arxiv.org/abs/1911.11907)
    """

    def __init__(
        self,
        filters: int,
        *,
        ratio: int,
        groups: int | None = None,
        activation: str = "hard_tanh",
        kernel_initializer: Any = "glorot_uniform",
        gamma_initializer: Any = "ones",
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        _check("filters", filters, _is_count(filters), "a positive integer")
        _check("ratio", ratio, _is_count(ratio), "a positive integer")
        _check("ratio", ratio, ratio <= filters, f"at most the {filters} filters")
        primary = math.ceil(filters / ratio)
        _check(
            "groups",
            groups,
            groups is None or (_is_count(groups) and primary % groups == 0),
            f"None or a divisor of the {primary} channels of the 1x1 convolution",
        )
        self.filters = filters
        self.ratio = ratio
        self.groups = groups
        self.activation = activation
        self.kernel_initializer = tf.keras.initializers.get(kernel_initializer)
        self.gamma_initializer = tf.keras.initializers.get(gamma_initializer)
        self.momentum = momentum
        self.epsilon = epsilon
        self.synchronized = synchronized
        self.primary_conv = tf.keras.layers.Conv2D(
            primary, 1, **self._conv_arguments(), name="primary_conv"
        )
        self.primary_bn = self._batch_norm("primary_bn")
        self.primary_act = self._activation("primary_act")
        if ratio > 1:
            self.cheap_conv = GroupedConv2D(
                primary * (ratio - 1),
                3,
                groups or primary,
                padding="same",
                **self._conv_arguments(),
                name="cheap_conv",
            )
            self.cheap_bn = self._batch_norm("cheap_bn")
            self.cheap_act = self._activation("cheap_act")

    def _conv_arguments(self) -> dict[str, Any]:
        return {
            "use_bias": False,
            "kernel_initializer": _fresh(self.kernel_initializer),
            "dtype": self.dtype_policy,
        }

    def _batch_norm(self, name: str) -> tf.keras.layers.Layer:
        return tf.keras.layers.BatchNormalization(
            momentum=self.momentum,
            epsilon=self.epsilon,
            gamma_initializer=_fresh(self.gamma_initializer),
            synchronized=self.synchronized,
            dtype=self.dtype_policy,
            name=name,
        )

    def _activation(self, name: str) -> tf.keras.layers.Layer:
        if self.activation == _PRELU:
            return tf.keras.layers.PReLU(
                alpha_initializer=tf.keras.initializers.Constant(_PRELU_SLOPE),
                shared_axes=[1, 2],
                dtype=self.dtype_policy,
                name=name,
            )
        return tf.keras.layers.Activation(
            self.activation, dtype=self.dtype_policy, name=name
        )

    @property
    def parts(self) -> list[tf.keras.layers.Layer]:
        """Its layers in their order: convolution, normalisation, activation, twice."""
        primary = [self.primary_conv, self.primary_bn, self.primary_act]
        if self.ratio == 1:
            return primary
        return [*primary, self.cheap_conv, self.cheap_bn, self.cheap_act]

    def build(self, input_shape: Any) -> None:
        shape = tf.TensorShape(input_shape)
        for part in self.parts:
            with tf.name_scope(part.name):
                part.build(shape)
            shape = part.compute_output_shape(shape)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        p = self.primary_act(self.primary_bn(self.primary_conv(inputs)))
        if self.ratio == 1:
            return p
        q = self.cheap_act(self.cheap_bn(self.cheap_conv(p)))
        # more than needed where `ratio` does not divide
        return tf.concat([p, q], axis=-1)[..., : self.filters]

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        return tf.TensorShape([*tf.TensorShape(input_shape)[:-1], self.filters])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "ratio": self.ratio,
            "groups": self.groups,
            "activation": self.activation,
            "kernel_initializer": tf.keras.initializers.serialize(
                self.kernel_initializer
            ),
            "gamma_initializer": tf.keras.initializers.serialize(
                self.gamma_initializer
            ),
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "synchronized": self.synchronized,
        }


def _fresh(initializer: Any) -> Any:
    """One of its own, so that no two layers share a random stream."""
    return type(initializer).from_config(initializer.get_config())
