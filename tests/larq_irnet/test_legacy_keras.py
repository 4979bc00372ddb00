import pytest
import tensorflow as tf
import tf_keras

from larq_irnet import legacy_keras
from tests.larq_irnet.python_process import run_python

REPORT = """
import os
import tensorflow as tf
print(tf.keras.Model.__module__.split(".")[0], os.environ["TF_USE_LEGACY_KERAS"])
"""


def _assert_one_import_error(process, message):
    assert process.returncode == 1
    assert "AttributeError" not in process.stderr
    assert process.stderr.count("Error:") == 1
    assert process.stderr.splitlines()[-1].startswith("ImportError: ")
    assert message in process.stderr


def test_larq_irnet_first_switches_legacy_keras_on():
    process = run_python("import larq_irnet" + REPORT)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "tf_keras 1\n"


@pytest.mark.parametrize("value", ["1", "True"])
def test_tensorflow_first_with_the_variable_set(value):
    process = run_python(
        "import tensorflow\nimport larq_irnet" + REPORT, legacy_keras=value
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout == f"tf_keras {value}\n"


def test_tensorflow_first_with_the_variable_unset():
    process = run_python("import tensorflow\nimport larq_irnet")
    _assert_one_import_error(process, "Run `export TF_USE_LEGACY_KERAS=1` in the shell")
    assert "import larq_irnet before tensorflow" in process.stderr


@pytest.mark.parametrize("value", ["0", "", "yes"])
def test_variable_that_switches_legacy_keras_off(value):
    process = run_python("import larq_irnet", legacy_keras=value)
    _assert_one_import_error(
        process, f"Expected TF_USE_LEGACY_KERAS to be '1', got {value!r}"
    )


def test_tf_keras_is_not_installed():
    code = "import sys\nsys.modules['tf_keras'] = None\nimport larq_irnet"
    process = run_python(code)
    assert process.returncode == 1
    last_line = process.stderr.splitlines()[-1]
    assert last_line.startswith("ImportError: Expected the tf-keras package")
    assert "Run `pip install 'tf-keras~=" in last_line


def test_this_process_passes():
    legacy_keras.require_legacy_keras()


@pytest.mark.parametrize("version", ["2.15.1", "2.22.0", "1.15.5", "3.0.0-rc1"])
def test_tensorflow_outside_the_tested_range(version, monkeypatch):
    monkeypatch.setattr(tf, "__version__", version)
    message = rf">= 2\.16, < 2\.22 .* got {version}\. Run `pip install 'tensorflow>=2"
    with pytest.raises(ImportError, match=message):
        legacy_keras.require_legacy_keras()


def test_tf_keras_of_another_minor_version(monkeypatch):
    monkeypatch.setattr(tf, "__version__", "2.17.1")
    monkeypatch.setattr(tf_keras, "__version__", "2.16.0")
    message = r"2\.17\.1, got 2\.16\.0\. Run `pip install 'tf-keras~=2\.17\.0'`"
    with pytest.raises(ImportError, match=message):
        legacy_keras.require_legacy_keras()


@pytest.mark.parametrize(
    ("tensorflow", "keras"),
    [("2.16.2", "2.16.0"), ("2.21.0", "2.21.0"), ("2.20.0-rc0", "2.20.1")],
)
def test_supported_pairs_of_versions(tensorflow, keras, monkeypatch):
    monkeypatch.setattr(tf, "__version__", tensorflow)
    monkeypatch.setattr(tf_keras, "__version__", keras)
    legacy_keras.require_legacy_keras()
