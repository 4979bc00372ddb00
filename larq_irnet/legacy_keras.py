"""Makes sure that `tf.keras` is Keras 2, the only Keras that Larq runs on.

Since version 2.16 TensorFlow serves Keras 3 as `tf.keras` unless the environment
variable `TF_USE_LEGACY_KERAS` is "1" *before TensorFlow is first imported* and the
`tf-keras` package of the same minor version is installed. Without it, importing Larq
fails with an unrelated `AttributeError`.
"""

import os
import sys

__all__ = ["require_legacy_keras"]

SUPPORTED_TENSORFLOW = ((2, 16), (2, 22))  # from, below

_VARIABLE = "TF_USE_LEGACY_KERAS"
_ON = ("1", "true", "True")  # the spellings that TensorFlow itself accepts
_REMEDY = (
    f"Run `export {_VARIABLE}=1` in the shell, or import larq_irnet before tensorflow."
)


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _check_versions(tensorflow_version: str, tf_keras_version: str) -> None:
    lowest, limit = SUPPORTED_TENSORFLOW
    if not lowest <= _minor(tensorflow_version) < limit:
        raise ImportError(
            f"Expected TensorFlow >= {lowest[0]}.{lowest[1]}, < {limit[0]}.{limit[1]} "
            f"(the tested range), got {tensorflow_version}. Run "
            f"`pip install 'tensorflow>={lowest[0]}.{lowest[1]},"
            f"<{limit[0]}.{limit[1]}' tf-keras`."
        )
    if _minor(tf_keras_version) != _minor(tensorflow_version):
        raise ImportError(
            "Expected tf-keras of the same minor version as TensorFlow "
            f"{tensorflow_version}, got {tf_keras_version}. Run "
            f"`{_install_command(tensorflow_version)}`."
        )


def _install_command(tensorflow_version: str) -> str:
    major, minor = _minor(tensorflow_version)
    return f"pip install 'tf-keras~={major}.{minor}.0'"


def require_legacy_keras() -> None:
    """Switches legacy Keras on if that is still possible, else says how to.

    If TensorFlow is not loaded yet and `TF_USE_LEGACY_KERAS` is unset, sets it to "1".
    In every case imports TensorFlow and verifies that `tf.keras` is Keras 2.

    # Raises
        ImportError: if TensorFlow was loaded with Keras 3, `TF_USE_LEGACY_KERAS` is set
            to a value that switches legacy Keras off, tf-keras is missing, or a version
            is outside the tested range. The message holds the command that helps.
    """
    if "tensorflow" not in sys.modules:
        value = os.environ.setdefault(_VARIABLE, "1")
        if value not in _ON:
            raise ImportError(
                f"Expected {_VARIABLE} to be '1', got {value!r}: Larq needs legacy "
                f"Keras. Run `export {_VARIABLE}=1` in the shell."
            )
    import tensorflow as tf

    try:
        keras_package = tf.keras.Model.__module__.split(".")[0]
    except ImportError as error:
        raise ImportError(
            "Expected the tf-keras package (legacy Keras), found none. Run "
            f"`{_install_command(tf.__version__)}`."
        ) from error
    if keras_package != "tf_keras":
        raise ImportError(
            f"Expected tf.keras to be legacy Keras (Keras 2), but TensorFlow "
            f"{tf.__version__} was imported with Keras 3. {_REMEDY}"
        )
    import tf_keras

    _check_versions(tf.__version__, tf_keras.__version__)
