import numpy as np
import tensorflow as tf

from zoo.models.squeeze_excite import squeeze_excite


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_gates_are_those_of_the_formula():
    images = tf.keras.Input((5, 4, 6))
    model = tf.keras.Model(images, squeeze_excite(images, 2, "gate"))
    weights = [tf.random.normal(weight.shape).numpy() for weight in model.weights]
    model.set_weights(weights)
    kernel1, bias1, kernel2, bias2 = weights
    assert [kernel1.shape, kernel2.shape] == [(1, 1, 6, 2), (1, 1, 2, 6)]
    x = np.random.default_rng(0).normal(size=(3, 5, 4, 6)).astype(np.float32)
    squeezed = x.mean((1, 2)) @ kernel1[0, 0] + bias1
    gate = sigmoid(squeezed * sigmoid(squeezed) @ kernel2[0, 0] + bias2)
    # float32 against float32 of another order
    np.testing.assert_allclose(model(x), x * gate[:, None, None], rtol=1e-5, atol=1e-6)
