"""tflite_export: a trained Keras model becomes a verified Larq Compute Engine model.

```python
result = tflite_export.export(model, "model.tflite", samples=images, labels=labels)
```
"""

import larq_irnet  # noqa: F401  (makes sure of legacy Keras before TensorFlow loads)
from tflite_export.exporting import ExportResult, export
from tflite_export.findings import ExportError, Finding
from tflite_export.flatbuffer import Flatbuffer, FlatbufferError
from tflite_export.lint import lint
from tflite_export.model_files import ModelFileError, read_model_file
from tflite_export.report import Report

__all__ = [
    "ExportError",
    "ExportResult",
    "Finding",
    "Flatbuffer",
    "FlatbufferError",
    "ModelFileError",
    "Report",
    "export",
    "lint",
    "read_model_file",
]
