"""Small networks to export, with lively BatchNorm statistics."""

from collections.abc import Callable

import larq as lq
import numpy as np
import tensorflow as tf

import larq_irnet as irnet

layers = tf.keras.layers


def binary_conv(filters: int, name: str, **arguments) -> tf.keras.layers.Layer:
    defaults = {
        "kernel_size": 3,
        "quantizer": "irnet",
        "padding": "same",
        "pad_values": 1.0,
        "use_bias": False,
    }
    return irnet.layers.QuantConv2D(filters, name=name, **{**defaults, **arguments})


def randomize_batch_norms(model: tf.keras.Model) -> tf.keras.Model:
    generator = np.random.default_rng(0)
    for layer in model.submodules:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = (w.shape for w in layer.weights)
            layer.set_weights(
                [
                    generator.uniform(0.5, 1.5, gamma)
                    * generator.choice([-1, 1], gamma),
                    generator.normal(size=beta),
                    generator.normal(size=mean),
                    generator.uniform(0.5, 1.5, variance),
                ]
            )
    return model


def randomize_channels(model: tf.keras.Model) -> tf.keras.Model:
    """Scales and shifts of channels, of both signs."""
    generator = np.random.default_rng(0)
    for layer in model.submodules:
        if isinstance(layer, (irnet.layers.ChannelScale, irnet.layers.LearnableBias)):
            (shape,) = (weight.shape for weight in layer.weights)
            signs = generator.choice([-1, 1], shape)
            layer.set_weights([generator.uniform(0.5, 1.5, shape) * signs])
    return model


def residual_network(pad_values: float = 1.0, size: int = 8) -> tf.keras.Model:
    """A float stem, two binary convolutions with shortcuts, a classifier."""
    inputs = tf.keras.Input((size, size, 3), name="images")
    x = layers.Conv2D(32, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.BatchNormalization(name="stem_bn")(x)
    for name in ("first", "second"):
        shortcut = x
        x = binary_conv(32, name, pad_values=pad_values)(x)
        x = layers.BatchNormalization(name=f"{name}_bn")(x)
        x = layers.Add(name=f"{name}_add")([x, shortcut])
        x = layers.Activation("hard_tanh", name=f"{name}_act")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = tf.keras.Model(inputs, layers.Dense(10, name="logits")(x), name="residual")
    return randomize_batch_norms(model)


def plain_network() -> tf.keras.Model:
    """Convolution after convolution, so that LCE keeps packed bits in between."""
    inputs = tf.keras.Input((8, 8, 32))
    x = inputs
    for index in range(3):
        x = binary_conv(32, f"conv{index}")(x)
        x = layers.BatchNormalization(name=f"bn{index}")(x)
    return randomize_batch_norms(tf.keras.Model(inputs, x, name="plain"))


def nested_network() -> tf.keras.Model:
    inputs = tf.keras.Input((8, 8, 32))
    outputs = binary_conv(32, "after")(plain_network()(inputs))
    return tf.keras.Model(inputs, outputs, name="nesting")


def pooled_before_batch_norm() -> tf.keras.Model:
    """The order of Larq's tutorials: convolution, pool, BatchNorm, sign."""
    inputs = tf.keras.Input((8, 8, 32))
    x = layers.MaxPooling2D()(binary_conv(32, "conv0")(inputs))
    x = binary_conv(32, "conv1")(layers.BatchNormalization()(x))
    return randomize_batch_norms(tf.keras.Model(inputs, x))


def batch_norm_after_relu() -> tf.keras.Model:
    inputs = tf.keras.Input((8, 8, 3))
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(inputs)
    x = layers.Dropout(0.1)(layers.BatchNormalization()(x))
    return randomize_batch_norms(tf.keras.Model(inputs, binary_conv(32, "conv")(x)))


def batch_norm_after_addition() -> tf.keras.Model:
    inputs = tf.keras.Input((8, 8, 32))
    x = layers.Add()([inputs, binary_conv(32, "conv0")(inputs)])
    x = binary_conv(32, "conv1")(layers.BatchNormalization()(x))
    return randomize_batch_norms(tf.keras.Model(inputs, x))


def activated_batch_norm_after_pool() -> tf.keras.Model:
    """The order of VGG-Small: the activation folds into half of the BatchNorm."""
    inputs = tf.keras.Input((8, 8, 32))
    x = layers.MaxPooling2D()(binary_conv(32, "conv0")(inputs))
    x = layers.Activation("hard_tanh")(layers.BatchNormalization()(x))
    return randomize_batch_norms(tf.keras.Model(inputs, binary_conv(32, "conv1")(x)))


UNFUSED_BATCH_NORMS = [
    activated_batch_norm_after_pool,
    pooled_before_batch_norm,
    batch_norm_after_relu,
    batch_norm_after_addition,
]


def two_headed_network() -> tf.keras.Model:
    images, extra = tf.keras.Input((8, 8, 32)), tf.keras.Input((4,))
    x = layers.BatchNormalization()(binary_conv(32, "conv")(images))
    x = layers.GlobalAveragePooling2D()(x)
    logits = layers.Dense(3)(layers.Concatenate()([x, extra]))
    model = tf.keras.Model([images, extra], [logits, x], name="two_headed")
    return randomize_batch_norms(model)


def network_of(
    layer: tf.keras.layers.Layer, input_shape: tuple[int | None, ...] = (8, 8, 32)
) -> tf.keras.Model:
    """A model of one layer."""
    inputs = tf.keras.Input(input_shape)
    return tf.keras.Model(inputs, layer(inputs), name="one_layer")


def larq_conv(
    input_quantizer: str | Callable | None, **arguments
) -> tf.keras.layers.Layer:
    """A convolution of plain Larq with `ste_sign` weights."""
    defaults = {
        "kernel_quantizer": "ste_sign",
        "kernel_constraint": "weight_clip",
        "padding": "same",
        "pad_values": 1.0,
        "name": "conv",
    }
    return lq.layers.QuantConv2D(
        32, 3, input_quantizer=input_quantizer, **{**defaults, **arguments}
    )


@lq.utils.set_precision(1)
def bare_sign(x: tf.Tensor) -> tf.Tensor:
    return tf.sign(x)


@lq.utils.set_precision(1)
def detached_sign(x: tf.Tensor) -> tf.Tensor:
    return x + tf.stop_gradient(lq.math.sign(x) - x)


@lq.utils.set_precision(1)
def cast_sign(x: tf.Tensor) -> tf.Tensor:
    return 2.0 * tf.cast(x >= 0.0, x.dtype) - 1.0


@lq.utils.set_precision(1)
def where_constants(x: tf.Tensor) -> tf.Tensor:
    return tf.where(x >= 0.0, 1.0, -1.0)


@lq.utils.set_precision(1)
def where_tensors(x: tf.Tensor) -> tf.Tensor:
    return tf.where(x >= 0.0, tf.ones_like(x), -tf.ones_like(x))


@lq.utils.set_precision(1)
def scaled_sign(x: tf.Tensor) -> tf.Tensor:
    return 1.3 * lq.math.sign(x)


@lq.utils.set_precision(1)
def shifted_sign(x: tf.Tensor) -> tf.Tensor:
    return lq.math.sign(x - tf.linspace(-0.5, 0.5, x.shape[-1]))


@lq.utils.set_precision(1)
def soft_kernel(w: tf.Tensor) -> tf.Tensor:
    return tf.tanh(3.0 * w)


@lq.utils.set_precision(1)
def input_scaled_kernel(w: tf.Tensor) -> tf.Tensor:
    return lq.math.sign(w) * (1.0 + tf.reshape(tf.range(float(w.shape[2])), (-1, 1)))


@lq.utils.set_precision(1)
def vanishing_kernel(w: tf.Tensor) -> tf.Tensor:
    return 1e-8 * lq.math.sign(w)
