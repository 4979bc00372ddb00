"""ReCU in NumPy, written from the equations and not from the package.

Gradients are backpropagated step by step. Statistics are analytic functions, so that
they also take the complex numbers of `complex_step`.
"""

import numpy as np

EPSILON = 1e-5


def sign(x):
    return np.where(x < 0, -1.0, 1.0)


def statistics(x, axes):
    """Values without their mean, and sqrt(variance + epsilon); ddof is 1."""
    c = x - x.mean(axes, keepdims=True)
    n = np.prod([x.shape[axis] for axis in axes])
    variance = (c**2).sum(axes, keepdims=True) / max(n - 1, 1)
    return c, np.sqrt(variance + EPSILON)


def gradient_through_deviation(x, dx, ddeviation, axes):
    """dL/dx, of what flows to x itself and to sqrt(variance + epsilon)."""
    c, deviation = statistics(x, axes)
    n = x.size // deviation.size
    return dx + ddeviation * c / (max(n - 1, 1) * deviation)


def schedule(progress, tau_min, tau_max):
    a = (tau_max - tau_min) / (np.e - 1)
    return a * np.exp(progress) + tau_min - a


def normalize(w, axes, b_star=2.0, centered=True):
    c, deviation = statistics(w, axes)
    return np.sqrt(2) * b_star * (c if centered else w) / deviation


def quantile(kernel, tau):
    with np.errstate(divide="ignore"):  # infinite for tau = 1
        return -np.abs(kernel).mean() * np.log(2 - 2 * tau)


def is_alive(w, tau, axes, **options):
    """Which weights are not clamped."""
    kernel = normalize(w, axes, **options)
    return np.abs(kernel) <= quantile(kernel, tau)


def recu(w, axes, centered=True):
    return sign(normalize(w, axes, centered=centered))


def recu_gradient(w, dy, tau, axes, b_star=2.0, centered=True):
    alive = is_alive(w, tau, axes, b_star=b_star, centered=centered)
    dkernel = np.sqrt(2) * b_star * np.where(alive, dy, 0.0)
    c, deviation = statistics(w, axes)
    numerator = c if centered else w
    ddeviation = -(dkernel * numerator).sum(axes, keepdims=True) / deviation**2
    dnumerator = dkernel / deviation
    if centered:
        dnumerator = dnumerator - dnumerator.mean(axes, keepdims=True)
    return gradient_through_deviation(w, dnumerator, ddeviation, axes)


def sample_axes(x):
    return tuple(range(1, x.ndim))


def normalize_samples(x):
    return x / statistics(x, sample_axes(x))[1]


def approx_sign_slope(x):
    return np.maximum(2 - 2 * np.abs(x), 0.0)


def normalized_approx_sign_gradient(x, dy):
    axes = sample_axes(x)
    deviation = statistics(x, axes)[1]
    dnormalized = dy * approx_sign_slope(x / deviation)
    ddeviation = -(dnormalized * x).sum(axes, keepdims=True) / deviation**2
    return gradient_through_deviation(x, dnormalized / deviation, ddeviation, axes)
