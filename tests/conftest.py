"""What all tests share: legacy Keras, fixed seeds, and one clean session per test."""

import contextlib
import ctypes
import gc
import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no start-up messages

# Before TensorFlow: it switches legacy Keras on.
import larq_irnet  # isort: skip  # noqa: E402, F401

import hypothesis  # noqa: E402
import pytest  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow.python.framework import ops  # noqa: E402

hypothesis.settings.register_profile(
    "larq_irnet",
    deadline=None,  # the first call of an op may take seconds
    derandomize=True,  # the same examples in every run
    database=None,  # hence nothing to remember
    max_examples=25,
)
hypothesis.settings.load_profile("larq_irnet")


@pytest.fixture(autouse=True, scope="session")
def ctrl_c():
    """Interrupts, also where a shell that ignores it for its jobs runs the tests."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="module")
def freed_memory():
    """Gives back what a module has used: of large networks it is gigabytes.

    TensorFlow registers the gradient of each `tf.custom_gradient` in a graph for good,
    and the gradient holds its graph: of every model, the functions and constants.
    """
    yield
    registered = ops.gradient_registry._registry
    for name in [name for name in registered if name.startswith("CustomGradient-")]:
        del registered[name]
    gc.collect()  # cycles of models and traced functions
    with contextlib.suppress(OSError, AttributeError):  # only glibc has it
        ctypes.CDLL("libc.so.6").malloc_trim(0)


@pytest.fixture(autouse=True)
def clean_session():
    """Fresh names and seeds before a test, the default policy after it."""
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(1)
    yield
    tf.keras.mixed_precision.set_global_policy("float32")
