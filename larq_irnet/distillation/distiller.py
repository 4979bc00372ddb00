"""A Keras model that trains a student with the logits of a teacher."""

import functools
from typing import Any

import tensorflow as tf

from larq_irnet.training_wrapper import TrainingWrapper

__all__ = ["Distiller"]


class Distiller(TrainingWrapper):
    """Trains one network, the student, to give the logits of another, the teacher.

    It is compiled, fitted and evaluated like any Keras model. The loss takes the
    teacher's logits as `y_true`, in training and in validation; metrics compare with
    the labels. Outputs, weights, scheduled quantizers and checkpoints are the
    student's, and so is what `save` writes.

    The teacher runs in inference mode. Nothing of it changes, the statistics of its
    batch normalisations included.

    # Arguments
        student: The network to train.
        teacher: A trained network with outputs of the same shape.
        name: Name of the model.

    # Example
        >>> from larq_irnet.distillation import LogitMatching
        >>> teacher = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(4,))])
        >>> student = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(4,))])
        >>> distiller = Distiller(student, teacher)
        >>> distiller.compile("adam", loss=LogitMatching(), metrics=["accuracy"])
        >>> images, labels = tf.ones((8, 4)), tf.zeros(8, tf.int64)
        >>> history = distiller.fit(images, labels, verbose=0)
        >>> sorted(history.history)
        ['accuracy', 'loss']
        >>> len(distiller.weights) == len(student.weights)
        True

    # References
        - [Distilling the Knowledge in a Neural
            Network](https://arxiv.org/abs/1503.02531)
    """

    def __init__(
        self,
        student: tf.keras.Model,
        teacher: tf.keras.Model,
        *,
        name: str = "distiller",
    ):
        super().__init__(student, name=name)
        # Inside a partial Keras does not find it: it is no part of this model's
        # weights, checkpoints, losses and submodules.
        self._teach = functools.partial(teacher, training=False)

    @property
    def student(self) -> tf.keras.Model:
        """The network that learns."""
        return self.network

    @property
    def teacher(self) -> tf.keras.Model:
        """The network that is learned from."""
        return self._teach.func

    def targets(self, x: Any, y: Any) -> Any:
        """The logits of the teacher, in place of the labels."""
        return tf.stop_gradient(self._teach(x))
