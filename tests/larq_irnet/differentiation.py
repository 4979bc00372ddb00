"""Values and gradients of a function, in each of TensorFlow's ways of running it."""

import functools

import tensorflow as tf

MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "jit": functools.partial(tf.function, jit_compile=True),
}


def value_and_gradient(function, x, dy, mode="eager"):
    """`function(x)` and its vector-Jacobian product with `dy`."""

    @MODES[mode]
    def call(x, dy):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x, output_gradients=tf.cast(dy, y.dtype))

    y, dx = call(tf.convert_to_tensor(x), tf.convert_to_tensor(dy))
    return y.numpy(), dx.numpy()
