"""A network that trains in a second where the network does not matter."""

import tensorflow as tf

import larq_irnet as irnet
from zoo import datasets
from zoo.train_config import TrainConfig

UNEVEN_BATCH = 57  # 200 and 400 images leave parts that two or three cannot share


def small_network(config, **overrides):
    """Takes the place of `TrainConfig.build_model`: one binary convolution."""
    dataset = datasets.get(config.dataset)
    full_precision = tf.keras.mixed_precision.global_policy().variable_dtype
    return tf.keras.Sequential(
        [
            tf.keras.Input(dataset.input_shape, dtype=full_precision),
            tf.keras.layers.Conv2D(4, 3, strides=2, use_bias=False, name="stem"),
            tf.keras.layers.BatchNormalization(
                name="stem_bn", synchronized=config.synchronized_batch_norm
            ),
            irnet.layers.QuantConv2D(
                6, 3, quantizer=config.method, use_bias=False, name="binary"
            ),
            tf.keras.layers.BatchNormalization(
                name="binary_bn", synchronized=config.synchronized_batch_norm
            ),
            tf.keras.layers.Flatten(name="flatten"),
            tf.keras.layers.Dense(
                dataset.num_classes, dtype=full_precision, name="logits"
            ),
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
