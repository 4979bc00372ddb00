"""IR-Net in NumPy and float64, written from the equations and not from the package."""

import numpy as np


def reduced_axes(rank, filter_axes):
    """All axes of a kernel but those that index filters."""
    return tuple(a for a in range(rank) if a not in {f % rank for f in filter_axes})


def ede_gradient(x, dy, t, k):
    return dy * k * t * (1.0 - np.tanh(t * x) ** 2)


def ede_schedule(progress, t_min, t_max):
    t = t_min * 10.0 ** (progress * np.log10(t_max / t_min))
    return t, max(1.0 / t, 1.0)


def standardize(w, axes):
    """Filters of zero mean and unit deviation, and the deviations; ddof is 1."""
    c = w - w.mean(axes, keepdims=True)
    sigma = c.std(axes, keepdims=True, ddof=1)
    return c / sigma, sigma


def log2_magnitude(w, axes):
    """What is rounded to the exponent s of the scale."""
    what, _ = standardize(w, axes)
    return np.log2(np.abs(what).mean(axes, keepdims=True))


def libra_pb(w, axes):
    what, _ = standardize(w, axes)
    s = np.round(log2_magnitude(w, axes))  # NumPy rounds half to even
    return np.where(what < 0, -1.0, 1.0) * 2.0**s


def libra_pb_gradient(w, dy, t, k, axes):
    what, sigma = standardize(w, axes)
    n = w.size // sigma.size
    g = ede_gradient(what, dy * np.abs(libra_pb(w, axes)), t, k)
    dc = (g - what * (g * what).sum(axes, keepdims=True) / (n - 1)) / sigma
    return dc - dc.mean(axes, keepdims=True)
