"""Common base class of models that train another one in a way of their own."""

from typing import Any

import tensorflow as tf

__all__ = ["TrainingWrapper"]


class TrainingWrapper(tf.keras.Model):
    """Trains a network and stands for it everywhere else.

    Outputs, weights, scheduled quantizers and checkpoints are those of the network, and
    so is what `save` writes. Wrappers go around each other: a subclass says what the
    loss compares with (`targets`) or what happens in a step (`train_step`).

    # Arguments
        wrapped: The network, or a wrapper around it.
        name: Name of the model.
    """

    def __init__(self, wrapped: tf.keras.Model, *, name: str):
        super().__init__(name=name)
        self.wrapped = wrapped

    @property
    def network(self) -> tf.keras.Model:
        """The network itself, within all wrappers."""
        inner = self.wrapped
        return inner.network if isinstance(inner, TrainingWrapper) else inner

    @property
    def has_own_step(self) -> bool:
        """Whether a step is more than `compute_loss` of the outputs."""
        return False

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.wrapped(inputs, training=training)

    def targets(self, x: Any, y: Any) -> Any:
        """What the loss compares the outputs with, in training and in validation.

        # Arguments
            x: Inputs of the network.
            y: Labels.
        """
        inner = self.wrapped
        return inner.targets(x, y) if isinstance(inner, TrainingWrapper) else y

    def loss_of(
        self, x: Any, targets: Any, outputs: Any, sample_weight: Any = None
    ) -> tf.Tensor:
        """The compiled loss of outputs, regularization included.

        # Arguments
            x: Inputs of the network.
            targets: From `targets`.
            outputs: Of the network.
            sample_weight: Weight of each sample, or `None`.
        """
        return super().compute_loss(x, targets, outputs, sample_weight)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
    ) -> tf.Tensor:
        """The compiled loss, with `targets` in place of the labels."""
        return self.loss_of(x, self.targets(x, y), y_pred, sample_weight)

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Saves the network."""
        self.network.save(filepath, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"Expected the network to be saved, got the {type(self).__name__} around "
            "it, which is only for training. Use its `save(path)`, or its `network`."
        )

    def save_weights(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Saves the weights of the network."""
        self.network.save_weights(filepath, *args, **kwargs)

    def load_weights(self, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        """Loads the weights of the network."""
        return self.network.load_weights(filepath, *args, **kwargs)
