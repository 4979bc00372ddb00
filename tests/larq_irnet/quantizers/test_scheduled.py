import logging

import larq as lq
import numpy as np
import pytest
import tensorflow as tf
from larq.models import ModelProfile

import larq_irnet as irnet
from larq_irnet.quantizers import (
    IMB,
    DTESign,
    EDESign,
    LibraPB,
    ReCU,
    ScheduledQuantizer,
)
from larq_irnet.quantizers.dte import DTEQuantizer
from larq_irnet.quantizers.ede import EDEQuantizer

every_class = pytest.mark.parametrize("cls", [DTESign, EDESign, IMB, LibraPB, ReCU])
pairs = pytest.mark.parametrize(
    "quantizers",
    [
        ("ede_sign", "libra_pb"),
        ("normalized_approx_sign", "recu"),
        ("dte_sign", "imb"),
    ],
    ids=["irnet", "recu", "dirnet"],
)


def _network(input_quantizer, kernel_quantizer):
    options = {"input_quantizer": input_quantizer, "kernel_quantizer": kernel_quantizer}
    return tf.keras.Sequential(
        [
            tf.keras.layers.Conv2D(4, 3, input_shape=(8, 8, 3)),
            lq.layers.QuantConv2D(6, 3, kernel_constraint="weight_clip", **options),
            tf.keras.layers.BatchNormalization(),
            tf.keras.layers.Flatten(),
            lq.layers.QuantDense(5, kernel_constraint="weight_clip", **options),
        ]
    )


@every_class
def test_progress_is_a_scalar_variable_from_the_start(cls):
    progress = cls().progress
    assert isinstance(progress, tf.Variable)
    assert progress.shape == ()
    assert progress.dtype == tf.float32
    assert not progress.trainable
    assert progress.numpy() == 0.0


@every_class
def test_quantizers_of_one_class_do_not_share_progress(cls):
    first, second = cls(), cls()
    first.progress.assign(0.5)
    assert second.progress.numpy() == 0.0


@every_class
@pytest.mark.parametrize(
    ("policy", "dtype"),
    [("float64", "float64"), ("mixed_float16", "float32"), ("float16", "float32")],
)
def test_progress_has_the_precision_of_the_variables(cls, policy, dtype):
    assert cls(dtype=tf.keras.mixed_precision.Policy(policy)).progress.dtype == dtype
    tf.keras.mixed_precision.set_global_policy(policy)
    assert cls().progress.dtype == dtype


@pytest.mark.parametrize("cls", [ScheduledQuantizer, EDEQuantizer, DTEQuantizer])
def test_base_classes_are_abstract(cls):
    with pytest.raises(TypeError, match="abstract"):
        cls()


@pairs
def test_progress_is_no_weight(quantizers):
    model = _network(*quantizers)
    twin = _network("ste_sign", "ste_sign")
    for layer, twin_layer in zip(model.layers, twin.layers):
        assert [w.shape for w in layer.weights] == [w.shape for w in twin_layer.weights]
        assert layer.count_params() == twin_layer.count_params()
    assert len(model.weights) == len(model.variables) == len(twin.weights)
    assert len(model.trainable_weights) == len(twin.trainable_weights)
    assert model.count_params() == twin.count_params()
    assert [w.shape for w in model.get_weights()] == [
        w.shape for w in twin.get_weights()
    ]
    assert model.layers[1].input_quantizer.weights == []
    assert model.layers[1].kernel_quantizer.weights == []


@pairs
def test_summary_counts_what_it_counts_for_ste_sign(quantizers):
    profile = ModelProfile(_network(*quantizers))
    twin = ModelProfile(_network("ste_sign", "ste_sign"))
    assert profile.unique_param_bidtwidths == [1, 32]
    assert profile.unique_op_precisions == [1, 32]
    for bits in (1, 32):
        assert profile.weight_count(bits) == twin.weight_count(bits) > 0
        assert profile.op_count("mac", bits) == twin.op_count("mac", bits) > 0
    assert profile.weight_count(1) == 3 * 3 * 4 * 6 + 96 * 5
    assert profile.memory == twin.memory


@pairs
def test_summary_prints_the_same_numbers(quantizers):
    texts: list[str] = []
    for names in (quantizers, ("ste_sign", "ste_sign")):
        tf.keras.backend.clear_session()
        lq.models.summary(_network(*names), print_fn=texts.append)
    assert texts[:2] == texts[2:]


@pytest.mark.parametrize(
    "quantizer",
    [
        EDESign(),
        EDESign(t_min=1e-3, t_max=2.0, name="early"),
        LibraPB(),
        LibraPB(t_min=0.5, t_max=0.5, filter_axes=(-2, -1), dtype="float64"),
        DTESign(),
        DTESign(epsilon=0.3, band=0.5, moving=True, momentum=0.8, t_min=0.2),
        IMB(),
        IMB(t_max=4.0, epsilon=1.0, shift_scale=False, filter_axes=(-2,)),
        ReCU(),
        ReCU(
            tau_min=0.5,
            tau_max=1.0,
            b_star=0.7,
            centered=False,
            analytic_scale=True,
            filter_axes=(-2, -1),
            name="late",
        ),
    ],
)
def test_config_round_trips_exactly(quantizer):
    config = quantizer.get_config()
    copy = type(quantizer).from_config(config)
    assert copy.get_config() == config
    own = set(vars(quantizer)) & set(config) - {"name"}
    assert {"filter_axes", "t_min", "tau_min"} & own
    assert {key: getattr(copy, key) for key in own} == {
        key: getattr(quantizer, key) for key in own
    }
    serialized = lq.quantizers.serialize(quantizer)
    assert lq.quantizers.serialize(lq.quantizers.get(serialized)) == serialized


@pytest.mark.parametrize(
    ("alias", "cls"),
    [
        ("dte_sign", DTESign),
        ("ede_sign", EDESign),
        ("imb", IMB),
        ("libra_pb", LibraPB),
        ("recu", ReCU),
    ],
)
def test_alias_makes_a_fresh_quantizer(alias, cls):
    first, second = lq.quantizers.get(alias), lq.quantizers.get(alias)
    assert type(first) is type(second) is cls
    assert first is not second
    assert first.precision == 1
    assert type(lq.quantizers.get(cls.__name__)) is cls


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda **options: lq.layers.QuantDense(3, **options), (2, 6)),
        (lambda **options: lq.layers.QuantConv1D(3, 3, **options), (2, 6, 4)),
        (lambda **options: lq.layers.QuantConv2D(3, 3, **options), (2, 6, 6, 4)),
    ],
)
def test_strings_work_in_plain_larq_layers(layer, shape):
    layer = layer(input_quantizer="ede_sign", kernel_quantizer="libra_pb")
    assert layer(tf.random.normal(shape)).shape[-1] == 3
    assert type(layer.input_quantizer) is EDESign
    assert type(layer.kernel_quantizer) is LibraPB
    assert layer.kernel.precision == 1


@pytest.mark.parametrize("cls", [DTESign, EDESign, IMB, LibraPB])
@pytest.mark.parametrize(
    ("t_min", "t_max"),
    [
        (0.0, 10.0),
        (-0.1, 10.0),
        (1.0, 0.5),
        (0.1, float("inf")),
        (float("nan"), 10.0),
        (0.1, float("nan")),
    ],
)
def test_bad_bounds(cls, t_min, t_max):
    with pytest.raises(ValueError, match=r"Expected 0 < `t_min` <= `t_max` < inf.* t_"):
        cls(t_min=t_min, t_max=t_max)


def _heavy_tailed_latents(flips):
    """Filters of zero mean whose Libra-PB scale is below one, with `flips` new signs.

    Their signs are those of the centred filters: ste_sign flips where Libra-PB does.
    """
    kernel = np.tile([[10.0], [-10.0], [0.1], [-0.1], [0.2], [-0.2]], (3, 4))
    kernel[: 2 * flips] *= -1  # pairs, to keep the mean at zero
    return kernel.astype("float32")


@pytest.mark.parametrize(
    "layer",
    [
        lambda: lq.layers.QuantDense(4, kernel_quantizer="libra_pb", use_bias=False),
        lambda: irnet.layers.QuantDense(4, quantizer="irnet", use_bias=False),
        lambda: lq.layers.QuantDense(
            4, kernel_quantizer=ReCU(analytic_scale=True, b_star=0.2), use_bias=False
        ),
    ],
    ids=["larq", "larq_irnet", "analytic_scale"],
)
def test_flip_ratio_counts_signs_although_kernels_are_scaled(layer):
    with lq.context.metrics_scope(["flip_ratio"]):
        layer = layer()
        twin = lq.layers.QuantDense(4, kernel_quantizer="ste_sign", use_bias=False)
    layer.build((None, 18))
    twin.build((None, 18))
    ratios = []
    for flips in (0, 3, 3, 8, 7):
        for each in (layer, twin):
            each.set_weights([_heavy_tailed_latents(flips)])
            each(tf.ones((1, 18)))
        ratios.append(layer.kernel_quantizer.flip_ratio.result().numpy())
        assert ratios[-1] == twin.kernel_quantizer.flip_ratio.result().numpy()
    with lq.context.quantized_scope(True):
        scales = np.abs(layer.get_weights()[0])
    assert scales.max() <= 0.5
    # 6, 0, 10 and 2 of 18 rows flip; float32 mean of four ratios
    assert ratios[-1] == pytest.approx((6 + 0 + 10 + 2) / 18 / 4, rel=1e-6)


def test_flip_ratio_is_logged_by_fit():
    with lq.context.metrics_scope(["flip_ratio"]):
        model = tf.keras.Sequential(
            [lq.layers.QuantDense(2, kernel_quantizer="libra_pb", input_shape=(6,))]
        )
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(8, 6))
    history = model.fit(x, x[:, :2], batch_size=4, verbose=0).history
    assert [name for name in history if "flip_ratio" in name] == ["flip_ratio/libra_pb"]


@every_class
def test_no_metric_outside_its_scope(cls):
    layer = lq.layers.QuantDense(4, kernel_quantizer=cls())
    layer(tf.ones((1, 6)))
    assert not hasattr(layer.kernel_quantizer, "flip_ratio")


@pytest.mark.parametrize(
    ("quantizer", "expected"),
    [("imb", 0), ("libra_pb", 0), ("ede_sign", 0), ("recu", 0), ("ste_sign", 1)],
)
def test_larq_does_not_warn_of_starved_weights(quantizer, expected, caplog):
    with caplog.at_level(logging.WARNING):
        lq.layers.QuantDense(4, kernel_quantizer=quantizer)
    warnings = [r for r in caplog.records if "starved weights" in r.getMessage()]
    assert len(warnings) == expected


def test_checkpoints_hold_progress_and_weight_files_do_not(tmp_path):
    layer = lq.layers.QuantDense(2, input_quantizer="ede_sign")
    layer.build((None, 3))
    layer.input_quantizer.progress.assign(0.75)
    tf.train.Checkpoint(layer=layer).write(str(tmp_path / "checkpoint"))
    restored = lq.layers.QuantDense(2, input_quantizer="ede_sign")
    restored.build((None, 3))
    status = tf.train.Checkpoint(layer=restored).read(str(tmp_path / "checkpoint"))
    status.assert_consumed()
    assert restored.input_quantizer.progress.numpy() == 0.75


def test_shared_quantizer_has_one_progress():
    shared = EDESign()
    layers = [lq.layers.QuantDense(2, input_quantizer=shared) for _ in range(2)]
    layers[0].input_quantizer.progress.assign(0.25)
    assert layers[1].input_quantizer.progress.numpy() == 0.25
