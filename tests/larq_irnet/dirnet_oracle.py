"""DIR-Net in NumPy and float64, written from the equations and not from the package."""

import math

import numpy as np

from tests.larq_irnet import oracle


def dte_constants(x, t, epsilon, band):
    magnitudes = np.sort(np.abs(x).ravel())
    quantile = magnitudes[math.ceil(epsilon * magnitudes.size) - 1]
    if quantile > 0.0:
        t = min(t, band / quantile)
    return t, max(1.0 / t, 1.0)


def dte_gradient(x, dy, t, epsilon, band):
    return oracle.ede_gradient(x, dy, *dte_constants(x, t, epsilon, band))


def imb_gradient(w, dy, t, epsilon, band, axes):
    what, _ = oracle.standardize(w, axes)
    t, k = dte_constants(what, t, epsilon, band)
    return oracle.libra_pb_gradient(w, dy, t, k, axes)
