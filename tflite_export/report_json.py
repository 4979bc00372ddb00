"""Reports of dataclasses as JSON."""

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

__all__ = ["report_json"]


def report_json(report: Any, *, computed: Sequence[str] = ()) -> str:
    """A report as JSON; numbers that are not finite become null.

    # Arguments
        report: A dataclass of dataclasses, tuples, mappings, numbers and texts.
        computed: Properties to put in front of its fields.
    """
    content = {name: getattr(report, name) for name in computed}
    content |= dataclasses.asdict(report)
    return json.dumps(_finite(content), indent=2, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
