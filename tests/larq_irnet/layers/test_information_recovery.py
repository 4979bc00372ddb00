import numpy as np
import pytest
import tensorflow as tf

from larq_irnet.layers import GroupedConv2D, InformationRecovery


def features(channels=10, seed=0):
    return np.float32(np.random.default_rng(seed).normal(size=(3, 4, 4, channels)))


@pytest.mark.parametrize(
    "filters, ratio, groups, primary, cheap",
    [
        (64, 4, None, (1, 1, 10, 16), (3, 3, 1, 48)),
        (512, 2, None, (1, 1, 10, 256), (3, 3, 1, 256)),
        (512, 4, 8, (1, 1, 10, 128), (3, 3, 16, 384)),
        (512, 20, None, (1, 1, 10, 26), (3, 3, 1, 494)),
        (7, 3, None, (1, 1, 10, 3), (3, 3, 1, 6)),
    ],
)
def test_kernels(filters, ratio, groups, primary, cheap):
    layer = InformationRecovery(filters, ratio=ratio, groups=groups)
    assert layer(features()).shape == (3, 4, 4, filters)
    assert layer.primary_conv.kernel.shape == primary
    assert layer.cheap_conv.kernel.shape == cheap
    assert layer.compute_output_shape((None, 4, 4, 10)) == (None, 4, 4, filters)


def test_a_ratio_of_one_is_a_plain_convolution():
    layer = InformationRecovery(6, ratio=1)
    outputs = layer(features())
    assert [part.name for part in layer.parts] == [
        *("primary_conv", "primary_bn", "primary_act"),
    ]
    kernel = layer.primary_conv.kernel.numpy()[0, 0]
    expected = np.clip(features() @ kernel / np.sqrt(1 + 1e-5), -1, 1)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


def test_values():
    """By its parts: what the cheap convolution sees, and what is cut off."""
    layer = InformationRecovery(7, ratio=3, activation="prelu")
    outputs = layer(features()).numpy()
    conv, bn, act, cheap, cheap_bn, cheap_act = layer.parts
    assert isinstance(cheap, GroupedConv2D) and cheap.groups == 3
    p = act(bn(conv(features())))
    q = cheap_act(cheap_bn(cheap(p)))
    both = np.concatenate([p, q], -1)
    assert both.shape[-1] == 9
    np.testing.assert_array_equal(outputs, both[..., :7])
    assert outputs.min() < 0  # PReLU lets a quarter of negative values through
    slopes = [w for w in layer.weights if "alpha" in w.name]
    assert [float(w.numpy().max()) for w in slopes] == [0.25, 0.25]


def test_training_normalises_by_the_batch():
    layer = InformationRecovery(8, ratio=2, activation="linear", momentum=0.5)
    outputs = layer(5 * features() + 3, training=True).numpy()
    np.testing.assert_allclose(outputs.mean((0, 1, 2)), 0, atol=1e-4)
    # epsilon and float32; the cheap half sees zeros around it, but is normalised too
    np.testing.assert_allclose(outputs.std((0, 1, 2)), 1, rtol=1e-3)
    moved = [np.abs(w.numpy()).min() for w in layer.weights if "moving_mean" in w.name]
    assert moved[0] > 0


def test_every_weight_gets_a_gradient():
    layer = InformationRecovery(9, ratio=3, activation="prelu")
    with tf.GradientTape() as tape:
        outputs = layer(features(), training=True)
        loss = tf.reduce_sum(outputs * np.float32(features(9, seed=1)))
    gradients = tape.gradient(loss, layer.trainable_weights)
    assert len(gradients) == 8
    for gradient, weight in zip(gradients, layer.trainable_weights):
        assert np.abs(gradient).max() > 0, weight.name


def test_names_of_weights_tell_the_part():
    layer = InformationRecovery(8, ratio=2, name="fusion")
    layer(features())
    names = {weight.name.removesuffix(":0") for weight in layer.trainable_weights}
    assert names == {
        *("fusion/primary_conv/kernel", "fusion/primary_bn/gamma"),
        *("fusion/primary_bn/beta", "fusion/cheap_conv/kernel"),
        *("fusion/cheap_bn/gamma", "fusion/cheap_bn/beta"),
    }


def test_options_reach_the_parts():
    layer = InformationRecovery(
        8,
        ratio=2,
        kernel_initializer=tf.keras.initializers.RandomUniform(3.0, 4.0),
        gamma_initializer=tf.keras.initializers.RandomUniform(0.2, 0.4),
        momentum=0.7,
        epsilon=1e-2,
        synchronized=True,
    )
    layer(features())
    conv, bn, _, cheap, cheap_bn, _ = layer.parts
    for kernel in conv.kernel, cheap.kernel:
        assert 3.0 <= kernel.numpy().min() <= kernel.numpy().max() <= 4.0
    for norm in bn, cheap_bn:
        assert (norm.momentum, norm.epsilon, norm.synchronized) == (0.7, 1e-2, True)
        assert 0.2 <= norm.gamma.numpy().min() <= norm.gamma.numpy().max() <= 0.4
    assert (bn.gamma.numpy() != cheap_bn.gamma.numpy()).all()


@pytest.mark.parametrize("suffix", [".keras", ".h5", ""])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
def test_saved_models(suffix, tmp_path):
    images = tf.keras.Input((4, 4, 10))
    layer = InformationRecovery(8, ratio=4, groups=1, activation="prelu", name="fusion")
    model = tf.keras.Model(images, layer(images))
    model(features(), training=True)
    path = f"{tmp_path}/model{suffix}"
    model.save(path)
    loaded = tf.keras.models.load_model(path)
    np.testing.assert_array_equal(loaded(features()), model(features()))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filters": 0, "ratio": 1}, "`filters` to be a positive integer, got 0"),
        ({"filters": 8, "ratio": 0}, "`ratio` to be a positive integer, got 0"),
        ({"filters": 8, "ratio": 2.0}, "`ratio` to be a positive integer, got 2.0"),
        ({"filters": 8, "ratio": 9}, "`ratio` to be at most the 8 filters, got 9"),
        (
            {"filters": 8, "ratio": 2, "groups": 3},
            "`groups` to be None or a divisor of the 4 channels .*, got 3",
        ),
        ({"filters": 8, "ratio": 2, "groups": 0}, "`groups` to be .*, got 0"),
        ({"filters": 8, "ratio": 2, "activation": "nope"}, "nope"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        InformationRecovery(**arguments)
