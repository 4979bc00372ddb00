"""Common base class of layers with one learned number for each channel."""

import abc
from typing import Any

import tensorflow as tf

__all__ = ["PerChannelLayer"]


class PerChannelLayer(tf.keras.layers.Layer, abc.ABC):
    """Holds one weight of shape (C,) for inputs [..., C].

    That shape is the one that Larq Compute Engine folds into a convolution in front.

    # Arguments
        initializer: Of the weight; `None` for the layer's own.
        regularizer: Of the weight.
        constraint: Of the weight.
    """

    def __init__(
        self,
        *,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        given = tf.keras.initializers.get(initializer)
        self.initializer = given or self.default_initializer()
        self.regularizer = tf.keras.regularizers.get(regularizer)
        self.constraint = tf.keras.constraints.get(constraint)

    @abc.abstractmethod
    def default_initializer(self) -> tf.keras.initializers.Initializer:
        """What the weight starts from unless told otherwise."""

    def add_channel_weight(self, name: str, input_shape: Any) -> tf.Variable:
        """Makes the weight, one number for each channel.

        # Raises
            ValueError: if the number of channels is not known.
        """
        channels = tf.TensorShape(input_shape)[-1]
        if channels is None:
            raise ValueError(
                f"Expected a known number of channels, got inputs of shape "
                f"{input_shape}. Build the layer with known channels."
            )
        return self.add_weight(
            name=name,
            shape=(channels,),
            initializer=self.initializer,
            regularizer=self.regularizer,
            constraint=self.constraint,
        )

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        return tf.TensorShape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initializer": tf.keras.initializers.serialize(self.initializer),
            "regularizer": tf.keras.regularizers.serialize(self.regularizer),
            "constraint": tf.keras.constraints.serialize(self.constraint),
        }
