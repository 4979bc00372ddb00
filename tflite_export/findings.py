"""What an export has to say about a model, and the error that ends a strict export."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ExportError", "Finding", "SEVERITIES"]

SEVERITIES = ("error", "slower", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that a user should know about one layer.

    # Attributes
        severity: "error": the layer would stay float, or be computed wrongly; "slower":
            it works but gives speed or size away; "note": for information.
        layer: Name of the Keras layer, or of the whole model.
        reason: What was found.
        remedy: What to do about it.
    """

    severity: str
    layer: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.reason} Remedy: {self.remedy}"


class ExportError(RuntimeError):
    """A model that cannot be exported as promised.

    # Attributes
        findings: Every reason, each with layer and remedy.
    """

    def __init__(self, attempt: str, findings: Sequence[Finding]):
        self.findings = tuple(findings)
        lines = "\n".join(f"- {finding}" for finding in findings)
        super().__init__(f"{attempt}:\n{lines}")
