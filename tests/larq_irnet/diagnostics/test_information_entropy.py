import math

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from larq_irnet.diagnostics import (
    activation_balance,
    activation_entropy,
    binary_balance,
    binary_entropy,
    weight_entropy,
)

signs_of_any_shape = hnp.arrays(
    np.int8, hnp.array_shapes(min_dims=2, max_dims=4), elements=st.sampled_from([-1, 1])
)


@pytest.mark.parametrize(
    "share, bits",
    [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0), (0.25, 2 - 0.75 * math.log2(3)), (1e-300, 0)],
)
def test_known_entropies(share, bits):
    assert binary_entropy(np.array(share)) == pytest.approx(bits, abs=1e-15)


@given(st.floats(0, 1))
def test_entropy_is_symmetric_and_at_most_one_bit(share):
    bits = float(binary_entropy(np.array(share)))
    assert 0 <= bits <= 1
    # 1 - share is rounded
    assert bits == pytest.approx(float(binary_entropy(np.array(1 - share))), abs=1e-12)
    assert bits >= 4 * share * (1 - share) - 1e-12  # a known lower bound


@given(st.floats(0, 1))
def test_balance_is_a_lower_bound_of_entropy(share):
    balance = float(binary_balance(np.array(share)))
    assert balance == pytest.approx(1 - abs(2 * share - 1), abs=1e-12)
    assert balance <= float(binary_entropy(np.array(share))) + 1e-12


@pytest.mark.parametrize("figure", [binary_entropy, binary_balance])
def test_shares_that_are_none(figure):
    with pytest.raises(ValueError, match=r"shares in \[0, 1\], got 0.5 to 1.5"):
        figure(np.array([0.5, 1.5]))
    assert np.isnan(figure(np.array(np.nan)))


@given(signs_of_any_shape)
def test_each_filter_by_itself(signs):
    bits = weight_entropy(signs)
    assert bits.shape == signs.shape[-1:]
    for index, one in enumerate(bits):
        share = np.mean(signs[..., index] == 1)
        assert one == pytest.approx(float(binary_entropy(share)), abs=1e-12)
    np.testing.assert_array_equal(bits, weight_entropy(signs * 0.25))
    np.testing.assert_allclose(bits, weight_entropy(-signs), atol=1e-12)


def test_filters_of_a_depthwise_kernel():
    signs = np.ones((2, 2, 3, 2))
    signs[0, :, 1, 1] = -1
    bits = weight_entropy(signs, filter_axes=(-2, -1))
    assert bits.shape == (3, 2)
    assert bits[1, 1] == 1
    assert bits.sum() == 1


def test_axes_out_of_range():
    with pytest.raises(ValueError, match=r"within the 2 of the signs, got \(2,\)"):
        weight_entropy(np.ones((3, 3)), filter_axes=(2,))


def test_random_signs_have_nearly_one_bit():
    n = 400
    signs = np.random.default_rng(0).choice([-1, 1], (n, 5000))
    expected = 1 - 1 / (2 * n * math.log(2))
    # the deviation of a filter is of the size of 1 - expected; 5000 of them
    assert weight_entropy(signs).mean() == pytest.approx(expected, abs=1e-4)


@given(signs_of_any_shape)
def test_channels(signs):
    share = (signs == 1).mean(tuple(range(signs.ndim - 1)))
    np.testing.assert_allclose(
        activation_entropy(signs), binary_entropy(share), atol=1e-12
    )
    balance = activation_balance(signs)
    mean = signs.mean(tuple(range(signs.ndim - 1)))
    np.testing.assert_allclose(balance, 1 - np.abs(mean), atol=1e-12)
