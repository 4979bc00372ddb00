"""Runs a .tflite once with each kernel and XNNPACK; the process may crash or hang.

Usage: python -m tflite_export.interpreter_worker MODEL
"""

import sys
from pathlib import Path

from tflite_export.interpreting import KERNELS, make_interpreter, random_inputs

if __name__ == "__main__":
    content = Path(sys.argv[1]).read_bytes()
    for options in (*KERNELS.values(), {"use_xnnpack": True}):
        interpreter = make_interpreter(content, **options).interpreter
        interpreter.predict(random_inputs(content))
