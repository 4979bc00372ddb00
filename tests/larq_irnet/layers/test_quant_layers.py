import json

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.quantizers import EDESign, LibraPB
from tests.larq_irnet import oracle
from tests.larq_irnet.python_process import run_python

legacy_format = pytest.mark.filterwarnings(
    "ignore:You are saving your model as an HDF5 file"
)

LAYERS = [  # class, arguments, name of the kernel, axes of its filters, input shape
    ("QuantDense", (5,), "kernel", (-1,), (6,)),
    ("QuantConv1D", (5, 3), "kernel", (-1,), (8, 4)),
    ("QuantConv2D", (5, 3), "kernel", (-1,), (8, 8, 4)),
    ("QuantConv2DTranspose", (5, 3), "kernel", (-2,), (8, 8, 4)),
    ("QuantDepthwiseConv2D", (3,), "depthwise", (-2, -1), (8, 8, 4)),
]
layers = pytest.mark.parametrize(
    ("name", "arguments", "stem", "filter_axes", "input_shape"),
    LAYERS,
    ids=[layer[0] for layer in LAYERS],
)


@layers
def test_quantizer_sets_everything(name, arguments, stem, filter_axes, input_shape):
    layer = getattr(irnet.layers, name)(*arguments, quantizer="irnet")
    assert isinstance(layer, getattr(lq.layers, name))
    assert type(layer.input_quantizer) is EDESign
    kernel_quantizer = getattr(layer, f"{stem}_quantizer")
    assert type(kernel_quantizer) is LibraPB
    assert kernel_quantizer.filter_axes == filter_axes
    assert getattr(layer, f"{stem}_constraint") is None
    assert layer.method == "irnet"


@layers
def test_each_filter_has_one_scale(name, arguments, stem, filter_axes, input_shape):
    options = {f"{stem}_initializer": _heavy_tails, "use_bias": False}
    layer = getattr(irnet.layers, name)(*arguments, quantizer="irnet", **options)
    layer.build((None, *input_shape))
    latent = np.float64(layer.get_weights()[0])
    with lq.context.quantized_scope(True):
        binary = layer.get_weights()[0]
    axes = oracle.reduced_axes(latent.ndim, filter_axes)
    np.testing.assert_array_equal(binary, oracle.libra_pb(latent, axes))
    assert len(np.unique(np.abs(binary))) > 1  # wrong axes would not go unnoticed


def _heavy_tails(shape, dtype=None, **kwargs):
    """Weights whose filters get different scales, whatever the axes of the filters."""
    w = np.random.default_rng(0).standard_t(1.5, shape)
    return tf.constant(w, dtype)


@layers
def test_constraint_of_the_method(name, arguments, stem, filter_axes, input_shape):
    layer = getattr(irnet.layers, name)(*arguments, quantizer="ste_sign")
    assert type(getattr(layer, f"{stem}_quantizer")) is lq.quantizers.SteSign
    constraint = getattr(layer, f"{stem}_constraint")
    assert isinstance(constraint, lq.constraints.WeightClip)


@layers
def test_without_method(name, arguments, stem, filter_axes, input_shape):
    layer = getattr(irnet.layers, name)(*arguments)
    assert layer.method is None
    assert layer.input_quantizer is None
    assert getattr(layer, f"{stem}_quantizer") is None


@layers
def test_overrides_win(name, arguments, stem, filter_axes, input_shape):
    options = {f"{stem}_quantizer": "approx_sign", f"{stem}_constraint": "weight_clip"}
    layer = getattr(irnet.layers, name)(*arguments, quantizer="irnet", **options)
    assert type(layer.input_quantizer) is EDESign
    assert type(getattr(layer, f"{stem}_quantizer")) is lq.quantizers.ApproxSign
    constraint = getattr(layer, f"{stem}_constraint")
    assert isinstance(constraint, lq.constraints.WeightClip)


@layers
def test_none_wins_too(name, arguments, stem, filter_axes, input_shape):
    options = {"input_quantizer": None, f"{stem}_quantizer": None}
    options[f"{stem}_constraint"] = None
    layer = getattr(irnet.layers, name)(*arguments, quantizer="ste_sign", **options)
    assert layer.input_quantizer is None
    assert getattr(layer, f"{stem}_quantizer") is None
    assert getattr(layer, f"{stem}_constraint") is None


@layers
def test_unknown_method(name, arguments, stem, filter_axes, input_shape):
    message = r"Expected a method out of \[.*'irnet'.*\], got 'irnett'"
    with pytest.raises(ValueError, match=message):
        getattr(irnet.layers, name)(*arguments, quantizer="irnett")


@layers
def test_own_method(name, arguments, stem, filter_axes, input_shape):
    method = irnet.methods.Method(
        name="unregistered",
        title="My method",
        input_quantizer="approx_sign",
        kernel_quantizer="libra_pb",
        kernel_constraint="balanced_standardized",
    )
    layer = getattr(irnet.layers, name)(*arguments, quantizer=method)
    assert type(layer.input_quantizer) is lq.quantizers.ApproxSign
    assert getattr(layer, f"{stem}_quantizer").filter_axes == filter_axes
    assert getattr(layer, f"{stem}_constraint").filter_axes == filter_axes
    copy = type(layer).from_config(layer.get_config())
    assert copy.method == "unregistered"
    assert copy.get_config() == layer.get_config()


def test_layers_do_not_share_quantizers():
    first, second = (irnet.layers.QuantDense(2, quantizer="irnet") for _ in range(2))
    assert first.input_quantizer is not second.input_quantizer
    assert first.kernel_quantizer is not second.kernel_quantizer


def _network(quantizer="irnet"):
    """All five layers in one model, with weights that no rounding can tip over."""
    x = inputs = tf.keras.Input((6, 6, 3))
    x = irnet.layers.QuantConv2D(
        4, 3, quantizer=quantizer, padding="same", pad_values=1.0
    )(x)
    x = irnet.layers.QuantDepthwiseConv2D(3, quantizer=quantizer)(x)
    x = irnet.layers.QuantConv2DTranspose(2, 3, strides=2, quantizer=quantizer)(x)
    x = tf.keras.layers.Reshape((9, 18))(x)
    x = irnet.layers.QuantConv1D(4, 3, quantizer=quantizer, padding="causal")(x)
    x = tf.keras.layers.Flatten()(x)
    x = irnet.layers.QuantDense(3, quantizer=quantizer)(x)
    model = tf.keras.Model(inputs, x)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


X = np.random.default_rng(1).normal(size=(2, 6, 6, 3)).astype("float32")


def _configs(model):
    # as JSON: the .keras format of TensorFlow 2.16 gives lists in place of tuples
    return [json.dumps(layer.get_config(), default=str) for layer in model.layers]


def _assert_same_model(copy, model):
    assert _configs(copy) == _configs(model)
    assert [type(layer) for layer in copy.layers] == [
        type(layer) for layer in model.layers
    ]
    # sums of +-2^s and float32 biases; only their order may differ between graphs
    np.testing.assert_allclose(copy(X), model(X), rtol=1e-5, atol=1e-5)


@legacy_format
@pytest.mark.parametrize("name", ["model.h5", "saved_model", "model.keras"])
def test_saved_model_gives_equal_outputs(name, tmp_path):
    model = _network()
    irnet.callbacks.set_progress(model, 0.5)
    model.save(tmp_path / name)
    _assert_same_model(tf.keras.models.load_model(tmp_path / name), model)


def test_clone_gives_equal_outputs():
    model = _network()
    clone = tf.keras.models.clone_model(model)
    quantizers = irnet.callbacks.scheduled_quantizers
    assert not set(quantizers(clone)) & set(quantizers(model))
    clone.set_weights(model.get_weights())
    _assert_same_model(clone, model)


FRESH_PROCESS = """
import sys
import larq_irnet
import numpy as np
import tensorflow as tf
folder = sys.argv[1]
x = np.load(folder + "/x.npy")
for name in ("model.h5", "saved_model", "model.keras"):
    model = tf.keras.models.load_model(folder + "/" + name)
    assert model.layers[1].kernel_quantizer.filter_axes == (-1,)
    assert model.layers[2].depthwise_quantizer.filter_axes == (-2, -1)
    assert model.layers[3].kernel_quantizer.filter_axes == (-2,)
    np.save(folder + "/" + name + ".npy", model(x))
"""


@legacy_format
def test_fresh_process_loads_what_was_saved(tmp_path):
    model = _network()
    np.save(tmp_path / "x.npy", X)
    names = ("model.h5", "saved_model", "model.keras")
    for name in names:
        model.save(tmp_path / name)
    process = run_python(FRESH_PROCESS, tmp_path)
    assert process.returncode == 0, process.stderr
    for name in names:
        # only the order of float32 sums may differ
        np.testing.assert_allclose(
            np.load(tmp_path / f"{name}.npy"), model(X), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("source", ["irnet", "ste_sign"])
@pytest.mark.parametrize("name", [None, "model.h5", "model.weights.h5", "checkpoint"])
def test_weights_move_between_irnet_and_ste_sign(source, name, tmp_path):
    tf.keras.backend.clear_session()
    model = _network(source)
    tf.keras.backend.clear_session()
    twin = _network("ste_sign" if source == "irnet" else "irnet")
    twin.set_weights([np.zeros(w.shape) for w in twin.get_weights()])
    if name is None:
        twin.set_weights(model.get_weights())
    else:
        model.save_weights(tmp_path / name)
        twin.load_weights(tmp_path / name)
    for actual, expected in zip(twin.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_binary_kernels_of_a_quantized_scope_are_those_of_the_forward_pass():
    layer = irnet.layers.QuantDense(4, quantizer="irnet", use_bias=False)
    layer.build((None, 6))
    with lq.context.quantized_scope(True):
        kernel = layer.get_weights()[0]
    x = np.where(np.arange(6) % 2, 1.0, -1.0)[None].astype("float32")
    # sums of six powers of two, exact in float32
    np.testing.assert_array_equal(layer(x), x @ kernel)
