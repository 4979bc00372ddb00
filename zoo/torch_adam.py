r"""Adam as PyTorch computes it: with coupled weight decay, and its own epsilon.

Keras adds epsilon before the second moment is freed of its bias, and its default is ten
times larger: in the first steps, and for small gradients, the steps are others.
"""

from typing import Any

import tensorflow as tf

from zoo.coupled_weight_decay import CoupledWeightDecay

__all__ = ["TorchAdam"]


@tf.keras.utils.register_keras_serializable(package="zoo")
class TorchAdam(CoupledWeightDecay, tf.keras.optimizers.Adam):
    r"""Adam with coupled weight decay.

    In step \\(i = 1, 2, \ldots\\)

    \\[
    g = \nabla w + \lambda w, \qquad
    m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
    v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \qquad
    w \leftarrow w - \eta \frac{m / (1 - \beta_1^i)}
      {\sqrt{v / (1 - \beta_2^i)} + \epsilon}
    \\]

    The same steps as `torch.optim.Adam`. Unless told otherwise the decay acts on every
    trainable weight.

    # Arguments
        learning_rate: \\(\eta\\), a number or a schedule.
        beta_1: \\(\beta_1\\).
        beta_2: \\(\beta_2\\).
        epsilon: \\(\epsilon\\).
        weight_decay: \\(\lambda\\), not negative.
        decayed_weights: A regular expression that the whole name of a weight, such as
            "logits/kernel", has to match; \\(\lambda\\) is 0 for all others.
        kwargs: Further arguments of Keras optimizers.

    # Raises
        ValueError: for a weight decay out of its range, for no regular expression, and
            when it is built, if that matches none of the weights.

    # Example
        >>> w = tf.Variable(2.0)
        >>> optimizer = TorchAdam(0.1, weight_decay=0.5)
        >>> _ = optimizer.apply_gradients([(tf.constant(1.0), w)])
        >>> round(float(w), 6)  # the first step has the length of the learning rate
        1.9

    # References
        - [Adam: A Method for Stochastic Optimization](https://arxiv.org/abs/1412.6980)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        decayed_weights: str = ".*",
        name: str = "TorchAdam",
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            weight_decay=weight_decay,
            decayed_weights=decayed_weights,
            name=name,
            **kwargs,
        )

    def update_step(self, gradient: Any, variable: tf.Variable) -> None:
        """One step of one weight."""
        gradient = self.coupled_gradient(gradient, variable)
        index, dtype = self.index_of(variable), variable.dtype
        m, v = self._momentums[index], self._velocities[index]
        m.assign(self.beta_1 * m + (1 - self.beta_1) * gradient)
        v.assign(self.beta_2 * v + (1 - self.beta_2) * tf.square(gradient))
        unbiased_m = m / self._missing_share(self.beta_1, dtype)
        unbiased_v = v / self._missing_share(self.beta_2, dtype)
        rate = tf.cast(self.learning_rate, dtype)
        variable.assign_sub(rate * unbiased_m / (tf.sqrt(unbiased_v) + self.epsilon))

    def _missing_share(self, beta: float, dtype: tf.DType) -> tf.Tensor:
        """1 - beta^i, in float64 as in PyTorch: float32 has few digits of it."""
        step = tf.cast(self.iterations + 1, tf.float64)
        # not by tf.cast, which makes float32 of a number on the way
        return tf.cast(1 - tf.pow(tf.constant(beta, tf.float64), step), dtype)
