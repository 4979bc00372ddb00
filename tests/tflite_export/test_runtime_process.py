import signal
import threading

import numpy as np
import pytest
import tensorflow as tf

from tests.tflite_export.lint.lint_case import conv
from tests.tflite_export.lint.test_miscompilations import Scale
from tests.tflite_export.tiny_flatbuffer import as_bytes, tiny_model
from tflite_export.conversion import convert
from tflite_export.interpreting import make_interpreter
from tflite_export.runtime_process import RuntimeProcess


@pytest.fixture
def runtime():
    runtime = RuntimeProcess()
    yield runtime
    runtime.close()


X = np.arange(8, dtype=np.float32).reshape(2, 4)


def test_the_same_numbers_as_in_this_process(runtime, converted_residual):
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)
    options = {"use_indirect_bgemm": True}
    (outputs,) = runtime.run(converted_residual.content, [images], options)
    interpreter = make_interpreter(converted_residual.content, **options)
    np.testing.assert_array_equal(outputs, interpreter.predict(images))


def test_one_process_runs_many_models(runtime):
    for _ in range(3):
        (outputs,) = runtime.run(as_bytes(tiny_model()), [X], {})
        np.testing.assert_array_equal(outputs, X + 2 * np.arange(4))
    (process,) = {runtime._process.pid}
    runtime.run(as_bytes(tiny_model()), [X], {})
    assert runtime._process.pid == process


def test_a_crash_is_an_error_and_the_next_model_runs(runtime):
    runtime.run(as_bytes(tiny_model()), [X], {})
    runtime._process.send_signal(signal.SIGSEGV)
    with pytest.raises(RuntimeError, match=r"the runtime crashed \(SIGSEGV\)"):
        runtime.run(as_bytes(tiny_model()), [X], {})
    assert len(runtime.run(as_bytes(tiny_model()), [X], {})[0]) == 2


def test_a_runtime_that_hangs_is_stopped():
    runtime = RuntimeProcess(timeout=0.5)
    runtime._start().send_signal(signal.SIGSTOP)
    with pytest.raises(RuntimeError, match="did not end within 0.5 s"):
        runtime.run(as_bytes(tiny_model()), [X], {})
    runtime.close()


def test_refusals_come_with_the_words_of_the_runtime(runtime):
    inputs = tf.keras.Input((8, 8, 32))
    model = tf.keras.Model(inputs, Scale((1, 1, 1, 32))(conv("scaled")(inputs)))
    x = np.zeros((1, 8, 8, 32), np.float32)
    with pytest.raises(RuntimeError, match="(?s)AllocateTensors.*NumDimensions"):
        runtime.run(convert(model), [x], {})


def test_threads_take_turns(runtime):
    results = []
    content = as_bytes(tiny_model())

    def run(number):
        (outputs,) = runtime.run(content, [X + number], {})
        results.append((number, outputs[0, 0]))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(n, float(n)) for n in range(8)]
