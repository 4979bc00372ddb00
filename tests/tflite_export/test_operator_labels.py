import tensorflow as tf

from tests.tflite_export.networks import nested_network
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.operator_labels import operator_labels, operator_layers


def test_operators_are_called_after_their_layers(residual_model, converted_residual):
    layers = operator_layers(residual_model, converted_residual)
    stem, *_, logits = layers
    assert set(stem) == {"stem", "stem_bn"}
    assert logits == ("logits",)
    labels = operator_labels(residual_model, converted_residual)
    binary = [
        label
        for label, operator in zip(labels, converted_residual.operators)
        if operator.name == "LceBconv2d"
    ]
    assert [label.split(", ")[0] for label in binary] == ["first", "second"]


def test_bits_are_not_taken_for_the_layer_that_reads_them():
    model = nested_network()
    flatbuffer = Flatbuffer(convert(model))
    assert operator_labels(model, flatbuffer) == [
        "conv0",  # its sign
        *("conv0", "conv1", "conv2", "after"),
    ]


def test_a_tensor_without_a_layer_keeps_its_name():
    inputs = tf.keras.Input((4,))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2, name="end")(inputs))
    assert operator_labels(model, Flatbuffer(convert(model))) == ["end"]
