import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.zoo.small_network import small_config
from zoo.learning_rate import LearningRate, learning_rate_for

# a rate is computed in float64 and given as float32
ROUNDING: dict[str, Any] = {"rtol": 6e-8, "atol": 0}


def rates(schedule, steps):
    return np.array([schedule(tf.constant(step, tf.int64)) for step in steps])


def test_cosine_per_epoch():
    schedule = LearningRate(0.1, "cosine", epochs=400, steps_per_epoch=390)
    steps = [0, 1, 389, 390, 779, 780, 78_000, 155_999]
    expected = [
        0.05 * (1 + math.cos(math.pi * (step // 390) / 400))  # same within an epoch
        for step in steps
    ]
    np.testing.assert_allclose(rates(schedule, steps), expected, **ROUNDING)
    assert expected[6] == pytest.approx(0.05)  # half-way


IMAGENET: dict[str, Any] = {
    "schedule": "step",
    "epochs": 100,
    "steps_per_epoch": 625,
    "warmup_steps": 2500,
    "warmup_start": 0.2,
    "decay_steps": (18_750, 37_500, 56_250),
}


@pytest.mark.parametrize(
    "step, rate",
    [
        (0, 0.2),
        (1, 0.2 + 0.6 / 2500),
        (1250, 0.5),
        (2499, 0.2 + 0.6 * 2499 / 2500),
        (2500, 0.8),
        (18_749, 0.8),
        (18_750, 0.08),
        (37_499, 0.08),
        (37_500, 0.008),
        (56_249, 0.008),
        (56_250, 0.0008),
        (62_499, 0.0008),
    ],
)
def test_warm_up_and_steps_of_the_published_imagenet_runs(step, rate):
    schedule = LearningRate(0.8, **IMAGENET)
    np.testing.assert_allclose(rates(schedule, [step]), [rate], **ROUNDING)


def test_constant():
    schedule = LearningRate(0.007, "constant", epochs=3, steps_per_epoch=2)
    np.testing.assert_array_equal(
        rates(schedule, range(6)), np.full(6, 0.007, np.float32)
    )


def test_warm_up_of_the_cosine():
    schedule = LearningRate(
        0.4, "cosine", epochs=4, steps_per_epoch=10, warmup_steps=15, warmup_start=0.1
    )
    warm_up = [0.1 + 0.3 * step / 15 for step in range(15)]
    rest = [0.2 * (1 + math.cos(math.pi * (step // 10) / 4)) for step in range(15, 40)]
    np.testing.assert_allclose(rates(schedule, range(40)), warm_up + rest, **ROUNDING)


def rates_of_epochs(schedule, epochs):
    """The rate of each epoch, after making sure that its two steps share it."""
    first, second = rates(schedule, range(2 * epochs)).reshape(epochs, 2).T
    np.testing.assert_array_equal(first, second)
    return first


def warmup_cosine(warmup_epochs, epochs, peak=0.1):
    return LearningRate(
        peak,
        "warmup_cosine",
        epochs=epochs,
        steps_per_epoch=2,
        warmup_steps=round(2 * warmup_epochs),
    )


@pytest.mark.parametrize("epochs", [6, 200, 256, 600])
def test_warm_up_and_cosine_per_epoch(epochs):
    expected = [0.1 * (epoch + 1) / 5 for epoch in range(5)] + [
        0.05 * (1 + math.cos(math.pi * (epoch - 4) / (epochs - 4)))
        for epoch in range(5, epochs)
    ]
    ours = rates_of_epochs(warmup_cosine(5, epochs), epochs)
    np.testing.assert_allclose(ours, expected, **ROUNDING)


def torch_rates(warmup_epochs, epochs):
    """The same schedule by `torch.optim.lr_scheduler`."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    # its last step has the first rate of the cosine
    linear = torch.optim.lr_scheduler.LinearLR(
        optimizer, 1 / warmup_epochs, total_iters=warmup_epochs - 1
    )
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, epochs - warmup_epochs + 1
    )
    both = torch.optim.lr_scheduler.SequentialLR(
        optimizer, [linear, cosine], [warmup_epochs - 1]
    )
    for _ in range(epochs):
        yield both.get_last_lr()[0]
        optimizer.step()
        both.step()


def test_warm_up_and_cosine_of_torch():
    ours = rates_of_epochs(warmup_cosine(5, 30), 30)
    # torch multiplies from epoch to epoch, in float64
    np.testing.assert_allclose(ours, list(torch_rates(5, 30)), rtol=1e-6, atol=0)


@pytest.mark.parametrize("warmup_epochs", [0, 0.5, 1, 1.5, 2.5, 5])
def test_any_length_of_a_warm_up_per_epoch(warmup_epochs):
    epochs = 8
    ours = rates_of_epochs(warmup_cosine(warmup_epochs, epochs), epochs)
    first = 0.1 / warmup_epochs if warmup_epochs > 1 else 0.1
    assert ours[0] == pytest.approx(first, rel=1e-7)  # float32
    top = int(ours.argmax())
    assert top == max(math.ceil(warmup_epochs) - 1, 0)
    assert (np.diff(ours[: top + 1]) > 0).all()
    assert (np.diff(ours[top:]) < 0).all()
    assert 0 < ours.min() and ours.max() <= np.float32(0.1)
    # the peak lies on an epoch unless the warm-up ends in the middle of one
    is_reached = warmup_epochs <= 1 or warmup_epochs == int(warmup_epochs)
    assert (ours.max() == np.float32(0.1)) == is_reached


def test_steps_far_out_are_exact():
    # float32 cannot tell 2^24 from 2^24 + 1
    far = 2**24 + 1
    schedule = LearningRate(
        1.0, "step", epochs=1, steps_per_epoch=far, decay_steps=(far,)
    )
    np.testing.assert_allclose(rates(schedule, [far - 1, far]), [1.0, 0.1], **ROUNDING)


@pytest.mark.parametrize("schedule", ["cosine", "warmup_cosine", "step", "constant"])
def test_graph_and_python_numbers(schedule):
    rate = LearningRate(0.8, **{**IMAGENET, "schedule": schedule})
    in_graph = tf.function(rate)
    for step in 0, 2499, 2500, 18_750:
        assert float(in_graph(tf.constant(step, tf.int64))) == float(rate(step))


def test_serialisation():
    rate = LearningRate(0.8, **IMAGENET)
    config = tf.keras.optimizers.schedules.serialize(rate)
    again = tf.keras.optimizers.schedules.deserialize(config)
    assert type(again) is LearningRate
    assert again.get_config() == rate.get_config()


def test_the_settings_of_a_run_in_steps():
    config = small_config(
        optimizer="sgd",
        learning_rate=0.8,
        learning_rate_schedule="step",
        epochs=100,
        steps_per_epoch=7,
        warmup_epochs=4,
        warmup_learning_rate=0.2,
        decay_epochs=(30, 60.5),
    )
    assert learning_rate_for(config).get_config() == {
        "peak": 0.8,
        "schedule": "step",
        "epochs": 100,
        "steps_per_epoch": 7,
        "warmup_steps": 28,
        "warmup_start": 0.2,
        "decay_steps": [210, 424],  # 60.5 epochs are 423.5 steps
    }
