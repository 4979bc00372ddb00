r"""The loss of a student that is to give the same probabilities as its teacher.

ReActNet trains with it alone, and so do the methods that follow its protocol: the
labels of the images are not used.
"""

import math
from typing import Any

import tensorflow as tf

from larq_irnet.half_precision import widened

__all__ = ["LogitMatching", "logit_matching"]


def _check_temperature(temperature: float) -> None:
    if not 0.0 < temperature < math.inf:
        raise ValueError(
            f"Expected `temperature` to be positive and finite, got {temperature!r}."
        )


def logit_matching(
    teacher_logits: tf.Tensor, student_logits: tf.Tensor, *, temperature: float = 1.0
) -> tf.Tensor:
    r"""Cross-entropy of the student's probabilities relative to the teacher's.

    With the logits \\(z\\) of the student, \\(z'\\) of the teacher, and the temperature
    \\(T\\), for each image

    \\[
    L = -T^2 \sum_c p'_c \log p_c, \qquad
    p = \mathrm{softmax}(z / T), \qquad p' = \mathrm{softmax}(z' / T), \qquad
    \frac{\partial L}{\partial z} = T (p - p')
    \\]

    The factor \\(T^2\\) keeps the size of the gradient when \\(T\\) grows. The loss is
    smallest, but not zero, where both probabilities agree. Nothing flows back to the
    teacher. Logits in half precision are taken to float32.

    # Arguments
        teacher_logits: [N, classes].
        student_logits: [N, classes].
        temperature: \\(T\\), positive; above 1 it brings the small probabilities out.

    # Returns
        One loss for each image, [N].

    # Raises
        ValueError: if the shapes differ, or unless `temperature` is positive and
            finite.

    # Example
        >>> teacher = tf.constant([[0.0, 0.0]])
        >>> student = tf.constant([[0.0, 1.0]])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(student)
        ...     loss = logit_matching(teacher, student)
        >>> loss.numpy().round(4)
        array([0.8133], dtype=float32)
        >>> tape.gradient(loss, student).numpy().round(4)  # p - p'
        array([[-0.2311,  0.2311]], dtype=float32)

    # References
        - [Distilling the Knowledge in a Neural
            Network](https://arxiv.org/abs/1503.02531)
        - [ReActNet: Towards Precise Binary Neural Network with Generalized Activation
            Functions](https://arxiv.org/abs/2003.03488)
    """
    _check_temperature(temperature)
    student_logits = widened(tf.convert_to_tensor(student_logits))
    teacher_logits = tf.stop_gradient(tf.cast(teacher_logits, student_logits.dtype))
    if not teacher_logits.shape.is_compatible_with(student_logits.shape):
        raise ValueError(
            "Expected `teacher_logits` to have the shape of the student's, "
            f"{student_logits.shape}, got {teacher_logits.shape}."
        )
    cross_entropy = tf.nn.softmax_cross_entropy_with_logits(
        tf.nn.softmax(teacher_logits / temperature), student_logits / temperature
    )
    return temperature**2 * cross_entropy


@tf.keras.utils.register_keras_serializable(package="larq_irnet")
class LogitMatching(tf.keras.losses.Loss):
    """`logit_matching` as a Keras loss: the logits of the teacher are `y_true`.

    # Arguments
        temperature: As for `logit_matching`.
        reduction: Of the losses of a batch; the mean unless told otherwise.
        name: Of the loss.

    # Raises
        ValueError: unless `temperature` is positive and finite.

    # Example
        >>> loss = LogitMatching(temperature=2.0)
        >>> logits = tf.constant([[1.0, -1.0], [0.0, 3.0]])
        >>> round(float(loss(logits, logits)), 4)  # the entropy of the teacher
        2.1145

    # References
        - [Distilling the Knowledge in a Neural
            Network](https://arxiv.org/abs/1503.02531)
    """

    def __init__(
        self,
        temperature: float = 1.0,
        *,
        reduction: str = tf.keras.losses.Reduction.AUTO,
        name: str = "logit_matching",
    ):
        _check_temperature(temperature)
        super().__init__(reduction=reduction, name=name)
        self.temperature = temperature

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return logit_matching(y_true, y_pred, temperature=self.temperature)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
