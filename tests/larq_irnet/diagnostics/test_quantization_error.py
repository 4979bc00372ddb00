import math

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from larq_irnet.diagnostics import quantization_error

kernels = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=4),
    elements=st.floats(-100, 100).filter(lambda x: x == 0 or abs(x) > 1e-3),
)


def signs_of(kernel):
    return np.where(kernel < 0, -1, 1)


@given(kernels, st.booleans())
def test_it_is_the_error_of_the_best_scale(kernel, centered):
    signs = signs_of(kernel)
    errors = quantization_error(kernel, signs, centered=centered)
    assert errors.shape == kernel.shape[-1:]
    for index, error in enumerate(errors):
        w, s = kernel[..., index].ravel(), signs[..., index].ravel()
        if centered and w.size > 1:
            w = w - w.mean()
        assert 0 <= error <= 1
        if (energy := w @ w) > 1e-12:
            (scale,), *_ = np.linalg.lstsq(s[:, None], w, rcond=None)
            residual = ((w - scale * s) ** 2).sum() / energy
            assert error == pytest.approx(residual, abs=1e-9)


@pytest.mark.parametrize(
    "draw, expected",
    [
        (lambda g, n: g.normal(size=n), 1 - 2 / math.pi),
        (lambda g, n: g.laplace(size=n), 0.5),
        (lambda g, n: g.uniform(-1, 1, n), 0.25),
    ],
)
def test_known_distributions(draw, expected):
    kernel = draw(np.random.default_rng(0), (400_000, 1))
    error = float(quantization_error(kernel, signs_of(kernel))[0])
    assert error == pytest.approx(expected, abs=5e-3)  # of 400,000 numbers


def test_scale_and_shift():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 5))
    signs = signs_of(kernel - kernel.mean((0, 1, 2)))
    centred = quantization_error(kernel, signs, centered=True)
    moved = quantization_error(1e200 * kernel + 3e200, signs, centered=True)
    np.testing.assert_allclose(moved, centred, rtol=1e-9)
    assert (quantization_error(kernel + 3, signs) > centred).all()


def test_corner_cases():
    signs = np.ones((2, 4))
    kernel = np.array([[0, 1, np.nan, np.inf], [0, 1, 1, 1.0]])
    assert quantization_error(kernel, signs)[:2].tolist() == [0, 0]
    assert np.isnan(quantization_error(kernel, signs)[2:]).all()
    single = np.array([[2.0, -3.0]])
    for centered in True, False:
        error = quantization_error(single, np.sign(single), centered=centered)
        assert error.tolist() == [0, 0]


def test_shapes_that_differ():
    with pytest.raises(ValueError, match=r"of the kernel, \(2, 3\), got \(3, 2\)"):
        quantization_error(np.ones((2, 3)), np.ones((3, 2)))
