"""A network that trains in a second where the network does not matter."""

import tensorflow as tf

import larq_irnet as irnet
from zoo.train_config import TrainConfig


def small_network(config, **overrides):
    """Takes the place of `TrainConfig.build_model`: one binary convolution."""
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 1)),
            tf.keras.layers.Conv2D(4, 3, strides=2, use_bias=False, name="stem"),
            tf.keras.layers.BatchNormalization(name="stem_bn"),
            irnet.layers.QuantConv2D(
                6, 3, quantizer=config.method, use_bias=False, name="binary"
            ),
            tf.keras.layers.BatchNormalization(name="binary_bn"),
            tf.keras.layers.Flatten(name="flatten"),
            tf.keras.layers.Dense(10, dtype="float32", name="logits"),
        ]
    )


def small_config(**settings):
    """Three epochs of two steps."""
    defaults = {
        "network": "ResNet20",
        "method": "irnet",
        "dataset": "digits",
        "epochs": 3,
        "batch_size": 16,
        "steps_per_epoch": 2,
        "optimizer": "adam",
        "learning_rate": 0.01,
    }
    return TrainConfig(**{**defaults, **settings})
