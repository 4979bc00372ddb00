"""What an export leaves beside the .tflite."""

from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from larq_irnet.atomic_path import atomic_path
from tflite_export.binary_weights import binary_weights, save_binary_weights
from tflite_export.report import Report
from tflite_export.rewrites import in_float32

__all__ = ["ExportFiles"]


@dataclass(frozen=True)
class ExportFiles:
    """The files of one export. Each is written whole or not at all.

    # Attributes
        model: The .tflite.
        prefix: What the names of the others begin with.
    """

    model: Path
    prefix: str = ""

    @property
    def report(self) -> Path:
        """The report as JSON."""
        return self.model.with_name(f"{self.prefix}report.json")

    @property
    def page(self) -> Path:
        """The report to read."""
        return self.model.with_name(f"{self.prefix}report.html")

    @property
    def weights(self) -> Path:
        """Packed bits and scales; only of models with binary weights."""
        return self.model.with_name(f"{self.prefix}binary_weights.npz")

    def write_reports(self, report: Report, page: str) -> None:
        """Writes both forms of the report.

        # Arguments
            report: What came out of the export.
            page: The same as HTML.
        """
        for path, text in ((self.report, report.to_json()), (self.page, page)):
            with atomic_path(path) as partial:
                partial.write_text(text, encoding="utf-8")

    def write_weights(self, model: tf.keras.Model) -> str:
        """Writes the binary weights if the model has some.

        # Arguments
            model: The trained Keras model.

        # Returns
            One line that says what was written, or why not.
        """
        model = in_float32(model)
        try:
            if not binary_weights(model):
                return "no binary weights"
            save_binary_weights(model, self.weights)
        except ValueError as error:
            return f"no binary weights: {error}"
        return f"binary weights: {self.weights}"
