"""Distributions against PyTorch's own, of which `torch.nn.init` knows the formulas."""

import numpy as np
import pytest
import torch

from zoo.models import torch_initializers

SHAPE = (3, 3, 64, 128)  # [H, W, C_in, C_out]
# four standard errors of the deviation of 73,728 numbers
TOLERANCE = 4 / np.sqrt(2 * 3 * 3 * 64 * 128)


def theirs(initialize, **arguments):
    weight = torch.empty(128, 64, 3, 3)
    initialize(weight, generator=torch.Generator().manual_seed(1), **arguments)
    return weight.numpy()


@pytest.mark.parametrize("mode, fan", [("fan_in", 9 * 64), ("fan_out", 9 * 128)])
def test_kaiming_normal(mode, fan):
    ours = torch_initializers.kaiming_normal(mode)(SHAPE).numpy()
    assert ours.std() == pytest.approx(np.sqrt(2 / fan), rel=TOLERANCE)
    assert abs(ours).max() > 3.5 * ours.std()  # not truncated
    expected = theirs(torch.nn.init.kaiming_normal_, mode=mode, nonlinearity="relu")
    assert ours.std() == pytest.approx(expected.std(), rel=2 * TOLERANCE)


def test_default_kernel():
    ours = torch_initializers.default_kernel()(SHAPE).numpy()
    expected = theirs(torch.nn.init.kaiming_uniform_, a=5**0.5)  # what nn.Conv2d does
    limit = 1 / np.sqrt(9 * 64)
    for values in ours, expected:
        assert 0.999 * limit < abs(values).max() <= limit
        assert values.std() == pytest.approx(limit / np.sqrt(3), rel=TOLERANCE)


def test_default_depthwise_kernel():
    ours = torch_initializers.default_depthwise_kernel()((3, 3, 1024, 1)).numpy()
    expected = torch.nn.Conv2d(1024, 1024, 3, groups=1024).weight.detach().numpy()
    for values in ours, expected:
        assert 0.999 / 3 < abs(values).max() <= 1 / 3 * (1 + 1e-6)  # float32
        # four standard errors of the deviation of 9,216 numbers, normal ones'
        assert values.std() == pytest.approx(1 / np.sqrt(27), rel=4 / np.sqrt(18_432))


def test_default_bias():
    ours = torch_initializers.default_bias(64)((10_000,)).numpy()
    assert 0.99 / 8 < abs(ours).max() <= 1 / 8
    expected = torch.nn.Linear(64, 10_000).bias.detach().numpy()
    assert ours.std() == pytest.approx(expected.std(), rel=0.03)


def test_bn_gamma():
    assert (torch_initializers.bn_gamma("ones")((100,)).numpy() == 1).all()
    uniform = torch_initializers.bn_gamma("uniform")((10_000,)).numpy()
    assert 0 <= uniform.min() < 0.01 and 0.99 < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * 10_000))
    tiny = torch_initializers.bn_gamma("near_zero")((100,)).numpy()
    np.testing.assert_array_equal(tiny, np.float32(1e-8))


@pytest.mark.parametrize("name", ["zeros", "", None])
def test_unknown_gamma(name):
    with pytest.raises(
        ValueError, match=r"out of \['ones', 'uniform', 'near_zero'\], got"
    ):
        torch_initializers.bn_gamma(name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch_initializers.kaiming_normal("fan_in"),
        torch_initializers.default_kernel,
        torch_initializers.default_depthwise_kernel,
        lambda: torch_initializers.default_bias(64),
        lambda: torch_initializers.bn_gamma("uniform"),
    ],
)
def test_two_layers_start_differently(make):
    assert (make()((4, 64)).numpy() != make()((4, 64)).numpy()).any()
