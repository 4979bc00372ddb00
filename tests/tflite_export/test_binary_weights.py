"""Packed bits and scales are exactly what the layers compute with."""

import io
import zipfile

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export import networks
from tests.tflite_export.networks import network_of
from tflite_export import binary_weights as module
from tflite_export.binary_weights import (
    binary_weights,
    load_binary_weights,
    save_binary_weights,
)

layers = tf.keras.layers


@lq.utils.set_precision(1)
def negative_scales(w: tf.Tensor) -> tf.Tensor:
    return lq.math.sign(w) * tf.linspace(-0.7, 0.9, w.shape[-1])


def by_method(layer_class, twin_class, *arguments, quantizer="irnet", **options):
    def pair():
        layer = layer_class(*arguments, quantizer=quantizer, name="layer", **options)
        return layer, twin_class(*arguments, **options)

    return pair


def with_negative_scales():
    quantizer = {"kernel_quantizer": negative_scales, "kernel_constraint": "MaxNorm"}
    layer = lq.layers.QuantConv2D(5, 3, name="layer", **quantizer)
    return layer, layers.Conv2D(5, 3)


CASES = {
    "convolution of IR-Net": (
        by_method(irnet.layers.QuantConv2D, layers.Conv2D, 6, 3),
        (5, 5, 3),
    ),
    "convolution of ReCU, 32 channels": (
        by_method(irnet.layers.QuantConv2D, layers.Conv2D, 6, 3, quantizer="recu"),
        (5, 5, 32),
    ),
    "real activations": (
        by_method(
            irnet.layers.QuantConv2D, layers.Conv2D, 6, 3, quantizer="irnet_w1a32"
        ),
        (5, 5, 3),
    ),
    "negative scales": (with_negative_scales, (5, 5, 3)),
    "dense": (by_method(irnet.layers.QuantDense, layers.Dense, 7), (11,)),
    "one dimension": (
        by_method(irnet.layers.QuantConv1D, layers.Conv1D, 6, 3),
        (9, 5),
    ),
    "transposed": (
        by_method(irnet.layers.QuantConv2DTranspose, layers.Conv2DTranspose, 6, 3),
        (5, 5, 3),
    ),
    "depthwise": (
        by_method(
            irnet.layers.QuantDepthwiseConv2D,
            layers.DepthwiseConv2D,
            3,
            depth_multiplier=2,
        ),
        (5, 5, 3),
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    """A model of one quantized layer, and the same of a float one."""
    pair, input_shape = CASES[request.param]
    return tuple(network_of(layer, input_shape) for layer in pair())


def test_a_float_layer_with_these_weights_computes_the_same(case, tmp_path):
    model, twin = case
    save_binary_weights(model, tmp_path / "binary_weights.npz")
    ((name, kernel),) = load_binary_weights(tmp_path / "binary_weights.npz").items()
    assert name.startswith("layer/")
    assert kernel.bits.dtype == np.uint8
    assert kernel.bits.shape[0] == kernel.scales.size
    assert (kernel.scales > 0).all()
    (layer,) = model.layers[1:]
    twin.layers[1].set_weights([kernel.unpack(), *layer.get_weights()[1:]])
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:]))
    if layer.input_quantizer is not None:
        x = np.where(x < 0, -1.0, 1.0)
    np.testing.assert_array_equal(model(x), twin(x))


def test_the_order_of_the_bits():
    layer = lq.layers.QuantConv2D(2, (1, 2), kernel_quantizer="ste_sign", name="conv")
    model = network_of(layer, (1, 2, 5))
    kernel = np.ones((1, 2, 5, 2), np.float32)
    kernel[0, 0, 1, 0] = kernel[0, 1, 4, 1] = -1.0  # elements 1 and 9 of their filters
    layer.set_weights([kernel, np.zeros(2)])
    packed = binary_weights(model)["conv/kernel"]
    assert packed.axes == (3, 0, 1, 2)
    assert packed.bits.tolist() == [[0b00000010, 0], [0, 0b00000010]]


def test_the_bytes_are_those_of_larq_compute_engine(residual_model, converted_residual):
    content = converted_residual.content
    kernels = binary_weights(residual_model)
    assert sorted(kernels) == ["first/kernel", "second/kernel"]
    for kernel in kernels.values():
        assert kernel.bits.nbytes == 32 * 9 * 32 / 8
        assert kernel.bits.tobytes() in content


@pytest.mark.parametrize("in_scope", [False, True])
def test_the_quantized_scope_makes_no_difference(in_scope, residual_model):
    expected = binary_weights(residual_model)
    with irnet.quantized_scope.quantized_scope(in_scope):
        actual = binary_weights(residual_model)
        assert lq.context.should_quantize() == in_scope
    for name, kernel in expected.items():
        np.testing.assert_array_equal(actual[name].unpack(), kernel.unpack())


def test_a_scope_that_an_exception_left_on(residual_model):
    before = residual_model.get_layer("first").get_weights()
    expected = binary_weights(residual_model)["first/kernel"].unpack()
    try:
        with pytest.raises(RuntimeError), lq.context.quantized_scope(True):
            raise RuntimeError
        assert lq.context.should_quantize()
        actual = binary_weights(residual_model)["first/kernel"].unpack()
    finally:
        lq.context.quantized_scope(False).__enter__()
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(
        residual_model.get_layer("first").get_weights()[0], before[0]
    )


def test_layers_of_inner_models_are_found():
    names = ["conv0/kernel", "conv1/kernel", "conv2/kernel", "after/kernel"]
    assert list(binary_weights(networks.nested_network())) == names


def test_a_model_without_binary_weights(tmp_path):
    model = network_of(layers.Dense(2), (3,))
    save_binary_weights(model, tmp_path / "none.npz")
    assert load_binary_weights(tmp_path / "none.npz") == {}


@lq.utils.set_precision(1)
def detached_kernel(w: tf.Tensor) -> tf.Tensor:
    return w + tf.stop_gradient(0.3 * lq.math.sign(w) - w)  # not quite 0.3


@pytest.mark.parametrize(
    "quantizer, words",
    [
        ("ste_tern", "holds zeros, as a ternary one does"),
        (networks.input_scaled_kernel, "more than one magnitude"),
        (detached_kernel, "differ by rounding"),
    ],
)
def test_other_kernels_are_refused(quantizer, words, tmp_path):
    layer = lq.layers.QuantConv2D(
        4, 3, kernel_quantizer=quantizer, kernel_constraint="MaxNorm", name="conv"
    )
    model = network_of(layer)
    shapes = [weight.shape for weight in layer.weights]
    layer.set_weights([np.random.default_rng(0).normal(0, 9, one) for one in shapes])
    with pytest.raises(ValueError, match=f"binary weights in conv/kernel.*{words}"):
        save_binary_weights(model, tmp_path / "weights.npz")
    assert list(tmp_path.iterdir()) == []


def archive(compression=zipfile.ZIP_STORED, **changes):
    arrays = {
        "conv/kernel/bits": np.zeros((2, 2), np.uint8),
        "conv/kernel/scales": np.ones(2, np.float32),
        "conv/kernel/shape": np.array([3, 3, 1, 2]),
        "conv/kernel/axes": np.array([3, 0, 1, 2]),
    }
    arrays |= {f"conv/kernel/{name}": value for name, value in changes.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        for name, array in arrays.items():
            if array is not None:
                with target.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, np.asarray(array))
    return file.getvalue()


def huge_array():
    """The header of a million million bytes, and none of them."""
    file = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**6)}
    np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(whole := io.BytesIO(), "w") as target:
        target.writestr("conv/kernel/bits.npy", file.getvalue())
    return whole.getvalue()


HOSTILE = {
    "nothing": b"",
    "no archive": b"binary weights",
    "cut off": archive()[:-30],
    "pickled objects": archive(scales=np.array([print, print])),
    "a bomb": archive(compression=zipfile.ZIP_DEFLATED),
    "a huge array": huge_array(),
    "no scales": archive(scales=None),
    "scales of integers": archive(scales=np.ones(2, int)),
    "no number": archive(scales=np.array([1.0, np.nan], np.float32)),
    "a scale of zero": archive(scales=np.zeros(2, np.float32)),
    "too few bits": archive(bits=np.zeros((2, 1), np.uint8)),
    "a shape of more": archive(shape=np.array([2**40, 2**40, 1, 2])),
    "a negative shape": archive(shape=np.array([-3, -3, 1, 2])),
    "axes twice": archive(axes=np.array([3, 0, 0, 2])),
}


def test_what_is_right_is_read(tmp_path):
    (tmp_path / "weights.npz").write_bytes(archive())
    (kernel,) = load_binary_weights(tmp_path / "weights.npz").values()
    np.testing.assert_array_equal(kernel.unpack(), np.ones((3, 3, 1, 2)))


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused(content, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Expected binary weights in .*weights.npz"):
        load_binary_weights(path)


def test_every_byte_may_be_wrong(tmp_path):
    content = archive()
    path = tmp_path / "weights.npz"
    generator = np.random.default_rng(0)
    for place in range(0, len(content), 3):
        damaged = bytearray(content)
        damaged[place] ^= 1 << generator.integers(8)
        path.write_bytes(damaged)
        try:
            kernels = load_binary_weights(path)
        except ValueError as error:
            assert "weights.npz" in str(error)
        else:
            for kernel in kernels.values():
                assert np.isfinite(kernel.unpack()).all()


def test_a_missing_file_is_no_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_binary_weights(tmp_path / "none.npz")


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    path.write_bytes(archive())

    def interrupted(file, **arrays):
        file.write(b"half of")
        raise KeyboardInterrupt

    monkeypatch.setattr(module.np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_binary_weights(networks.plain_network(), path)
    assert path.read_bytes() == archive()
    assert [one.name for one in tmp_path.iterdir()] == ["weights.npz"]
