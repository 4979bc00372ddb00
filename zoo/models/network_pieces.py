"""The pieces that the networks are made of, for one method and one geometry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.layers import NamedActivation
from zoo.models import torch_initializers
from zoo.models.alignment import Rotate180, check_alignment, first_subsampled_pixel
from zoo.models.pad_channels import PadChannels
from zoo.models.published_choices import MakeInitializer
from zoo.models.subsample import Subsample

__all__ = ["NetworkPieces"]

# PyTorch's defaults; its momentum of 0.1 is the share of the new batch
_BN_MOMENTUM = 0.9
_BN_EPSILON = 1e-5
_PRELU_SLOPE = 0.25


def _full_precision() -> str:
    """The dtype of weights, which images and logits have as well."""
    return tf.keras.mixed_precision.global_policy().variable_dtype


@dataclass(frozen=True, kw_only=True)
class NetworkPieces:
    """Layers with the settings that all of a network share.

    # Arguments
        method: What the binary convolutions and activations are.
        pad_values: What binary convolutions pad with, 0.0 or 1.0.
        alignment: "tensorflow" or "torch".
        bn_gamma: Initial scale of batch normalisations, one of
            `torch_initializers.BN_GAMMAS`.
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        kernel_initializer: Makes the initializer of one convolution.

    # Raises
        ValueError: for an unknown alignment or gamma, `pad_values` other than 0 and 1,
            or a gamma that float16 does not hold under a policy with float16.
    """

    method: irnet.methods.Method
    pad_values: float
    alignment: str
    bn_gamma: str
    synchronized_batch_norm: bool
    kernel_initializer: MakeInitializer

    def __post_init__(self) -> None:
        check_alignment(self.alignment)
        torch_initializers.bn_gamma(self.bn_gamma)
        policy = tf.keras.mixed_precision.global_policy()
        if self.bn_gamma == "near_zero" and policy.compute_dtype == "float16":
            raise ValueError(
                "Expected a precision that holds 1e-8 with bn_gamma='near_zero', got "
                f"{policy.name}, in which features would be 0. Use mixed_bfloat16, "
                "float32 or another `bn_gamma`."
            )
        if self.pad_values not in (0.0, 1.0):
            raise ValueError(
                f"Expected `pad_values` to be 0.0 or 1.0, got {self.pad_values}."
            )

    def images(self, input_shape: tuple[int, int, int]) -> tf.Tensor:
        """The input of the network: images, height, width and channels static.

        # Raises
            ValueError: if `input_shape` is not three positive integers.
        """
        is_shape = isinstance(input_shape, (tuple, list)) and len(input_shape) == 3
        if not is_shape or not all(isinstance(n, int) and n > 0 for n in input_shape):
            raise ValueError(
                "Expected `input_shape` to be (height, width, channels) of positive "
                f"integers, got {input_shape}."
            )
        return tf.keras.Input(input_shape, dtype=_full_precision(), name="images")

    def to_frame(self, images: tf.Tensor) -> tf.Tensor:
        """Images in the frame that the alignment asks for."""
        if self.alignment == "tensorflow":
            return images
        return Rotate180(name="rotate")(images)

    def activate(self, x: tf.Tensor, name: str) -> tf.Tensor:
        return NamedActivation(self.method.activation, name=name)(x)

    def prelu(self, x: tf.Tensor, name: str) -> tf.Tensor:
        """A PReLU with a slope for each channel, which starts as PyTorch's."""
        return tf.keras.layers.PReLU(
            alpha_initializer=tf.keras.initializers.Constant(_PRELU_SLOPE),
            shared_axes=[1, 2],
            name=name,
        )(x)

    def batch_norm(
        self, x: tf.Tensor, name: str, bn_gamma: str | None = None
    ) -> tf.Tensor:
        """Normalisation with PyTorch's constants.

        # Arguments
            x: Features.
            name: Name of the layer.
            bn_gamma: Its initial scale; `None` for that of the network.
        """
        return tf.keras.layers.BatchNormalization(
            momentum=_BN_MOMENTUM,
            epsilon=_BN_EPSILON,
            gamma_initializer=torch_initializers.bn_gamma(bn_gamma or self.bn_gamma),
            synchronized=self.synchronized_batch_norm,
            name=name,
        )(x)

    def head_batch_norm(self, x: tf.Tensor) -> tf.Tensor:
        """The normalisation in front of the classifier, whose scale is never near 0."""
        is_tiny = self.bn_gamma == "near_zero"
        return self.batch_norm(x, "head_bn", "uniform" if is_tiny else None)

    def float_conv(
        self, x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1
    ) -> tf.Tensor:
        return tf.keras.layers.Conv2D(
            filters,
            size,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=self.kernel_initializer(),
            name=name,
        )(x)

    def binary_conv(
        self,
        x: tf.Tensor,
        filters: int,
        name: str,
        strides: int = 1,
        kernel_initializer: tf.keras.initializers.Initializer | None = None,
        size: int = 3,
    ) -> tf.Tensor:
        """A convolution that the method binarizes, and scales if it does.

        # Arguments
            x: Features.
            filters: Output channels.
            name: Name of the layer.
            strides: Of both axes.
            kernel_initializer: `None` for that of the network.
            size: Height and width of the kernel; 1 needs no padding.
        """
        x = irnet.layers.QuantConv2D(
            filters,
            size,
            strides=strides,
            quantizer=self.method,
            padding="valid" if size == 1 else "same",
            pad_values=self.pad_values,
            use_bias=False,
            kernel_initializer=kernel_initializer or self.kernel_initializer(),
            name=name,
        )(x)
        if not self.method.channel_scale:
            return x
        return irnet.layers.ChannelScale(name=f"{name}_scale")(x)

    def recovered(
        self,
        taps: Sequence[tf.Tensor],
        recovery: Mapping[str, Any] | None,
        activation: str | None = None,
    ) -> tf.Tensor:
        """The last features, or all of them fused by information recovery.

        # Arguments
            taps: From shallow to deep.
            recovery: From `chosen_recovery`.
            activation: Of the fusion; `None` for that of the method.
        """
        if recovery is None:
            return taps[-1]
        fusion = irnet.layers.InformationRecovery(
            taps[-1].shape[-1],
            **recovery,
            activation=activation or self.method.activation,
            kernel_initializer=self.kernel_initializer(),
            gamma_initializer=torch_initializers.bn_gamma(self.bn_gamma),
            momentum=_BN_MOMENTUM,
            epsilon=_BN_EPSILON,
            synchronized=self.synchronized_batch_norm,
            name="fusion",
        )
        return fusion(irnet.recovery.pooled_taps(taps, name="fusion"))

    def option_a(self, x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
        """Every second pixel, zeros for the channels that are missing."""
        return PadChannels(filters, name=name)(self._subsampled(x, name))

    def pooled_option_a(self, x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
        """The mean of 2x2 pixels, zeros for the channels that are missing."""
        return PadChannels(filters, name=name)(self._halved(x, name))

    def projection(self, x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
        """A 1x1 convolution with stride 2 in full precision, normalised."""
        if any(self._first_pixel(x)):
            x = self._subsampled(x, name)
            x = self.float_conv(x, filters, 1, f"{name}_conv")
        else:
            x = self.float_conv(x, filters, 1, f"{name}_conv", strides=2)
        return self.batch_norm(x, f"{name}_bn")

    def pooled_projection(self, x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
        """The mean of 2x2 pixels, then a 1x1 convolution in full precision."""
        x = self.float_conv(self._halved(x, name), filters, 1, f"{name}_conv")
        return self.batch_norm(x, f"{name}_bn")

    def pooled(self, x: tf.Tensor) -> tf.Tensor:
        """The mean over all pixels, [N, H, W, C] to [N, 1, 1, C].

        The axes stay, because Keras keeps PyTorch's unbiased moving variance for
        images only.
        """
        return tf.keras.layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)

    def classifier(
        self,
        x: tf.Tensor,
        num_classes: int,
        kernel_initializer: tf.keras.initializers.Initializer,
        bias_initializer: tf.keras.initializers.Initializer | None = None,
    ) -> tf.Tensor:
        """Logits, in full precision also under a mixed precision policy."""
        x = tf.keras.layers.Flatten(name="flatten")(x)
        return tf.keras.layers.Dense(
            num_classes,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer
            or torch_initializers.default_bias(x.shape[-1]),
            dtype=_full_precision(),
            name="logits",
        )(x)

    def _halved(self, x: tf.Tensor, name: str) -> tf.Tensor:
        # "same": the last row or column of an odd size is not lost
        pool = tf.keras.layers.AveragePooling2D(padding="same", name=f"{name}_pool")
        return pool(x)

    def _subsampled(self, x: tf.Tensor, name: str) -> tf.Tensor:
        row, column = self._first_pixel(x)
        pixels = Subsample(first_row=row, first_column=column, name=f"{name}_pixels")
        return pixels(x)

    def _first_pixel(self, x: tf.Tensor) -> tuple[int, int]:
        return (
            first_subsampled_pixel(x.shape[1], self.alignment),
            first_subsampled_pixel(x.shape[2], self.alignment),
        )
