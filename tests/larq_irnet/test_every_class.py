"""One table of all public quantizers, constraints and layers; sweeps over it."""

import inspect
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet


@dataclass(frozen=True)
class Descriptor:
    """How a public class is made, and what it is applied to."""

    cls: type
    make: Callable[[], object]
    input_shape: tuple[int, ...]

    def inputs(self, dtype):
        # a fresh generator: the same numbers in each call
        return tf.cast(np.random.default_rng(0).normal(size=self.input_shape), dtype)


def _descriptor(cls, *arguments, input_shape, **options):
    return Descriptor(cls, lambda: cls(*arguments, **options), input_shape)


QUANTIZERS = [
    _descriptor(irnet.quantizers.DTESign, epsilon=0.3, moving=True, input_shape=(2, 5)),
    _descriptor(irnet.quantizers.EDESign, t_min=1e-3, input_shape=(2, 5)),
    _descriptor(
        irnet.quantizers.IMB, band=0.5, shift_scale=False, input_shape=(3, 3, 4, 5)
    ),
    _descriptor(irnet.quantizers.LibraPB, t_max=2.0, input_shape=(3, 3, 4, 5)),
    _descriptor(irnet.quantizers.NormalizedApproxSign, input_shape=(2, 5)),
    _descriptor(
        irnet.quantizers.ReCU,
        tau_min=0.8,
        b_star=1.0,
        centered=False,
        analytic_scale=True,
        input_shape=(3, 3, 4, 5),
    ),
]
CONSTRAINTS = [
    _descriptor(
        irnet.constraints.BalancedStandardized,
        filter_axes=(-2, -1),
        input_shape=(3, 3, 4, 5),
    )
]
LAYERS = [
    _descriptor(
        irnet.layers.ChannelScale,
        regularizer="l2",
        constraint="non_neg",
        input_shape=(2, 6, 6, 3),
    ),
    _descriptor(
        irnet.layers.GroupedConv2D, 6, 3, 3, padding="same", input_shape=(2, 6, 6, 3)
    ),
    _descriptor(
        irnet.layers.InformationRecovery,
        7,
        ratio=3,
        groups=1,
        activation="prelu",
        kernel_initializer="he_normal",
        momentum=0.8,
        input_shape=(2, 6, 6, 3),
    ),
    _descriptor(irnet.layers.NamedActivation, "hard_tanh", input_shape=(2, 5)),
    _descriptor(irnet.layers.LearnableBias, initializer="ones", input_shape=(2, 6)),
    _descriptor(
        irnet.layers.QuantDense, 4, quantizer="irnet", name="fc", input_shape=(2, 6)
    ),
    _descriptor(
        irnet.layers.QuantConv1D,
        4,
        3,
        quantizer="irnet",
        padding="causal",
        input_shape=(2, 6, 3),
    ),
    _descriptor(
        irnet.layers.QuantConv2D,
        4,
        3,
        quantizer="irnet",
        padding="same",
        pad_values=1.0,
        input_shape=(2, 6, 6, 3),
    ),
    _descriptor(
        irnet.layers.QuantConv2DTranspose,
        4,
        3,
        quantizer="irnet",
        strides=2,
        input_shape=(2, 4, 4, 3),
    ),
    _descriptor(
        irnet.layers.QuantDepthwiseConv2D,
        3,
        quantizer="irnet",
        depth_multiplier=2,
        input_shape=(2, 6, 6, 3),
    ),
]
TABLE = QUANTIZERS + CONSTRAINTS + LAYERS

every_class = pytest.mark.parametrize(
    "descriptor", TABLE, ids=[descriptor.cls.__name__ for descriptor in TABLE]
)
every_policy = pytest.mark.parametrize(
    "policy", ["float32", "float64", "mixed_float16", "mixed_bfloat16"]
)


def _public_classes(*packages):
    objects = (getattr(p, name) for p in packages for name in p.__all__)
    classes = filter(inspect.isclass, objects)
    return {cls for cls in classes if not inspect.isabstract(cls)}


@pytest.mark.parametrize(
    ("package", "descriptors"),
    [
        (irnet.quantizers, QUANTIZERS),
        (irnet.constraints, CONSTRAINTS),
        (irnet.layers, LAYERS),
    ],
    ids=["quantizers", "constraints", "layers"],
)
def test_table_holds_every_public_class(package, descriptors):
    assert {descriptor.cls for descriptor in descriptors} == _public_classes(package)


@every_class
def test_config_round_trips(descriptor):
    config = descriptor.make().get_config()
    assert descriptor.cls.from_config(config).get_config() == config


@every_class
def test_serialization_round_trips(descriptor):
    serialized = tf.keras.utils.serialize_keras_object(descriptor.make())
    copy = tf.keras.utils.deserialize_keras_object(serialized)
    assert type(copy) is descriptor.cls
    assert tf.keras.utils.serialize_keras_object(copy) == serialized


@every_class
def test_legacy_serialization_round_trips(descriptor):
    # the form inside .h5 files
    serialized = tf.keras.utils.legacy.serialize_keras_object(descriptor.make())
    # Keras puts functions in the place of their names there
    given = deepcopy(serialized)
    copy = tf.keras.utils.legacy.deserialize_keras_object(given)
    assert type(copy) is descriptor.cls
    assert tf.keras.utils.legacy.serialize_keras_object(copy) == serialized


@every_class
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "jit"])
def test_graph_agrees_with_eager(descriptor, jit_compile):
    instance, inputs = descriptor.make(), descriptor.inputs(tf.float32)
    eager = instance(inputs)
    graph = tf.function(instance, jit_compile=jit_compile)(inputs)
    # signs and scales are equal; sums of at most 27 products may change their order
    np.testing.assert_allclose(graph, eager, rtol=1e-5, atol=1e-5)


@every_class
@every_policy
def test_output_has_the_dtype_of_the_policy(descriptor, policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    compute_dtype = tf.keras.mixed_precision.global_policy().compute_dtype
    outputs = descriptor.make()(descriptor.inputs(compute_dtype))
    assert outputs.dtype == compute_dtype
    assert np.isfinite(np.float64(outputs)).all()


@every_policy
@pytest.mark.parametrize("descriptor", LAYERS, ids=[d.cls.__name__ for d in LAYERS])
def test_gradients_reach_inputs_and_latent_weights(descriptor, policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    layer, inputs = descriptor.make(), descriptor.inputs("float32")
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = tf.cast(layer(inputs), tf.float32)
        # weights of both signs: the gradient of a plain sum may vanish
        loss = tf.reduce_sum(
            outputs * np.random.default_rng(1).normal(size=outputs.shape)
        )
    gradients = tape.gradient(loss, [inputs, *layer.trainable_weights])
    for gradient, value in zip(gradients, [inputs, *layer.trainable_weights]):
        assert gradient.dtype == value.dtype
        assert gradient.shape == value.shape
        assert np.isfinite(np.float64(gradient)).all()
        assert np.abs(np.float64(gradient)).max() > 0
