import logging

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

from larq_irnet.callbacks import (
    EstimatorScheduler,
    scheduled_quantizers,
    set_progress,
)
from larq_irnet.quantizers import EDESign, LibraPB, ede_sign
from tests.larq_irnet import oracle, recu_oracle

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = X[:, :2]


def _model(input_quantizer="ede_sign", kernel_quantizer="libra_pb"):
    model = tf.keras.Sequential(
        [
            lq.layers.QuantDense(
                2,
                input_quantizer=input_quantizer,
                kernel_quantizer=kernel_quantizer,
                input_shape=(4,),
            )
        ]
    )
    # two layers are not worth a graph
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def _progress(model):
    values = {float(quantizer.progress) for quantizer in scheduled_quantizers(model)}
    assert len(values) == 1
    return values.pop()


def _fit(model, scheduler, **options):
    """Trains, and tells the progress during each epoch and each batch."""
    epochs, batches = [], []
    recorder = tf.keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epochs.append(_progress(model)),
        on_batch_begin=lambda batch, logs: batches.append(_progress(model)),
    )
    options = {"x": X, "y": Y, "batch_size": 3, "verbose": 0, **options}
    history = model.fit(callbacks=[scheduler, recorder], **options)
    return epochs, batches, history.history


def test_progress_per_epoch():
    epochs, batches, _ = _fit(_model(), EstimatorScheduler(), epochs=4)
    # progress is float32
    assert epochs == pytest.approx([0.0, 0.25, 0.5, 0.75], rel=1e-7)
    assert batches == pytest.approx(np.repeat(epochs, 2), rel=1e-7)


def test_progress_per_batch():
    scheduler = EstimatorScheduler(update_freq="batch")
    _, batches, _ = _fit(_model(), scheduler, epochs=2, batch_size=2)
    assert batches == pytest.approx(np.arange(6) / 6, rel=1e-6)  # float32


@pytest.mark.parametrize(
    ("total_epochs", "expected"), [(8, [0.0, 0.125, 0.25]), (2, [0.0, 0.5, 1.0])]
)
def test_total_epochs(total_epochs, expected):
    epochs, _, _ = _fit(_model(), EstimatorScheduler(total_epochs), epochs=3)
    assert epochs == expected  # dyadic fractions, exact in float32


def test_progress_stays_one_after_the_schedule():
    scheduler = EstimatorScheduler(total_epochs=1, update_freq="batch")
    epochs, batches, _ = _fit(_model(), scheduler, epochs=3)
    assert epochs == [0.0, 1.0, 1.0]
    assert batches == [0.0, 0.5, 1.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("update_freq", ["epoch", "batch"])
def test_resumed_training_goes_on_with_the_right_value(update_freq):
    model = _model()
    scheduler = EstimatorScheduler(update_freq=update_freq)
    whole, _, _ = _fit(model, scheduler, epochs=4)
    resumed, _, _ = _fit(
        _model(), EstimatorScheduler(update_freq=update_freq), initial_epoch=3, epochs=4
    )
    assert resumed == whole[3:]


def test_constants_are_logged_once_where_all_agree():
    _, _, logs = _fit(_model(), EstimatorScheduler(), epochs=4)
    assert sorted(logs) == ["k", "loss", "t"]
    expected = [oracle.ede_schedule(epoch / 4, 0.1, 10.0) for epoch in range(4)]
    # float32 exp
    np.testing.assert_allclose(np.stack([logs["t"], logs["k"]], 1), expected, rtol=1e-6)


def test_tau_of_recu_is_logged():
    model = _model("normalized_approx_sign", "recu")
    _, _, logs = _fit(model, EstimatorScheduler(), epochs=4)
    assert sorted(logs) == ["loss", "tau"]
    expected = [recu_oracle.schedule(epoch / 4, 0.85, 0.99) for epoch in range(4)]
    np.testing.assert_allclose(logs["tau"], expected, rtol=1e-6)  # float32 exp


def test_constants_are_logged_by_class_where_they_differ():
    model = _model(EDESign(t_min=1e-2), LibraPB(t_min=0.5))
    _, _, logs = _fit(model, EstimatorScheduler(), epochs=1)
    del logs["loss"]
    expected = {
        "ede_sign_t": 0.01,
        "ede_sign_k": 100.0,
        "libra_pb_t": 0.5,
        "libra_pb_k": 2.0,
    }
    logged = {name: value for name, (value,) in logs.items()}
    assert logged == pytest.approx(expected, rel=1e-6)  # float32


def test_only_the_constants_that_differ_are_logged_by_class():
    model = _model(EDESign(t_min=2.0), LibraPB(t_min=4.0))
    _, _, logs = _fit(model, EstimatorScheduler(), epochs=1)
    assert sorted(logs) == ["ede_sign_t", "k", "libra_pb_t", "loss"]
    assert logs["k"] == [1.0]


def test_constants_of_one_class_are_numbered_where_they_differ():
    model = _model(EDESign(t_min=2.0), EDESign(t_min=4.0))
    _, _, logs = _fit(model, EstimatorScheduler(), epochs=1)
    assert sorted(logs["ede_sign_t"] + logs["ede_sign_t_2"]) == [2.0, 4.0]


def test_later_callbacks_see_the_constants():
    seen = []
    reader = tf.keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(logs)
    )
    callbacks = [EstimatorScheduler(), reader]
    _model().fit(X, Y, epochs=1, callbacks=callbacks, verbose=0)
    assert seen[0]["t"] == pytest.approx(0.1)


def test_quantizers_of_nested_models_are_found_once():
    inner, shared = _model(), EDESign()
    inputs = tf.keras.Input((4,))
    x = inner(tf.keras.layers.Activation(shared)(inputs))
    x = tf.keras.Sequential([lq.layers.QuantDense(3, input_quantizer=shared)])(x)
    model = tf.keras.Model(inputs, x)
    expected = {
        inner.layers[0].input_quantizer,
        inner.layers[0].kernel_quantizer,
        shared,
    }
    found = scheduled_quantizers(model)
    assert len(found) == 3
    assert set(found) == expected
    set_progress(model, 0.5)
    assert {float(quantizer.progress) for quantizer in expected} == {0.5}


def test_quantizers_of_subclassed_models_are_found():
    class Network(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [
                lq.layers.QuantDense(2, input_quantizer="ede_sign") for _ in range(2)
            ]

    assert len(scheduled_quantizers(Network())) == 2


def test_activation_layer_with_a_quantizer_is_scheduled():
    model = tf.keras.Sequential(
        [tf.keras.Input((4,)), tf.keras.layers.Activation(EDESign())]
    )
    set_progress(model, 1.0)
    assert float(model.layers[0].activation.progress) == 1.0


def test_warning_when_there_is_nothing_to_schedule(caplog):
    with caplog.at_level(logging.WARNING, "larq_irnet"):
        model = _model("ste_sign", None)
        model.fit(X, Y, verbose=0, callbacks=[EstimatorScheduler()])
    (record,) = [r for r in caplog.records if r.name.startswith("larq_irnet")]
    assert f"no scheduled quantizer in model '{model.name}'" in record.getMessage()


def test_no_warning_when_there_is_something_to_schedule(caplog):
    with caplog.at_level(logging.WARNING):
        _model().fit(X, Y, verbose=0, callbacks=[EstimatorScheduler()])
    assert caplog.records == []


@pytest.mark.parametrize("update_freq", ["step", None, "Epoch"])
def test_unknown_update_freq(update_freq):
    with pytest.raises(ValueError, match=f"'epoch' or 'batch', got {update_freq!r}"):
        EstimatorScheduler(update_freq=update_freq)


@pytest.mark.parametrize("total_epochs", [0, -3])
def test_total_epochs_that_are_not_positive(total_epochs):
    with pytest.raises(ValueError, match=f"at least 1 or None, got {total_epochs}"):
        EstimatorScheduler(total_epochs)


def test_batches_of_unknown_number():
    dataset = tf.data.Dataset.from_tensors((X, Y)).filter(lambda x, y: True)
    scheduler = EstimatorScheduler(update_freq="batch")
    with pytest.raises(ValueError, match="known number of steps.*`steps_per_epoch`"):
        _model().fit(dataset, callbacks=[scheduler], verbose=0)


def test_steps_per_epoch_makes_the_number_of_batches_known():
    dataset = tf.data.Dataset.from_tensors((X, Y)).repeat()
    scheduler = EstimatorScheduler(update_freq="batch")
    options = {"x": dataset, "y": None, "batch_size": None, "steps_per_epoch": 4}
    _, batches, _ = _fit(_model(), scheduler, **options)
    assert batches == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_progress_outside_its_range(value):
    with pytest.raises(ValueError, match=rf"within \[0, 1\], got {value}"):
        set_progress(_model(), value)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_progress_takes_effect_in_a_traced_function(jit_compile):
    model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3)])
    model.add(tf.keras.layers.Activation(EDESign()))
    traces = []

    @tf.function(jit_compile=jit_compile)
    def gradient(x):
        traces.append(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model.layers[1](x)
        return tape.gradient(y, x)

    x = tf.constant(X)
    for progress in (0.0, 0.5, 1.0):
        set_progress(model, progress)
        t, k = oracle.ede_schedule(progress, 0.1, 10.0)
        # float32 exp in t, enlarged by t * x <= 30 and the slope t, then tanh
        np.testing.assert_allclose(
            gradient(x), oracle.ede_gradient(X, 1.0, t, k), atol=1e-4
        )
    assert len(traces) == 1


def test_progress_takes_effect_between_epochs_of_one_train_function():
    model = _model()
    model.compile(tf.keras.optimizers.SGD(1.0), "mse")
    start = [np.array([[1.0, 2.0]] * 2 + [[-1.0, -3.0]] * 2), np.zeros(2)]
    kernels, functions = [], set()
    for progress in (0.0, 1.0):
        set_progress(model, progress)
        model.set_weights(start)
        model.fit(X, Y, batch_size=6, verbose=0)
        kernels.append(model.get_weights()[0])
        functions.add(model.train_function)
    assert len(functions) == 1
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-2


def test_custom_training_loop():
    model = _model()
    optimizer = tf.keras.optimizers.Adam(0.1)

    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    losses = []
    for epoch in range(20):
        set_progress(model, epoch / 20)
        losses.append(float(train_step(X, Y)))
    assert np.isfinite(losses).all()
    # falls to less than a third for each of five seeds
    assert losses[-1] < 0.6 * losses[0]
    assert _progress(model) == pytest.approx(0.95)


def test_set_progress_accepts_a_model_without_quantizers():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    assert scheduled_quantizers(model) == []
    set_progress(model, 0.5)
    np.testing.assert_array_equal(ede_sign([-1.0]), [-1.0])
