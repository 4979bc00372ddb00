"""Which information recovery a network has: IR2Net's for it, another, or none."""

from collections.abc import Mapping
from typing import Any

__all__ = ["NO_RECOVERY", "chosen_recovery"]

NO_RECOVERY = "none"
_ARGUMENTS = {"ratio", "groups"}


def chosen_recovery(
    recovery: str | Mapping[str, Any] | None,
    presets: Mapping[str, Mapping[str, Any]],
    default: str = NO_RECOVERY,
) -> Mapping[str, Any] | None:
    """Arguments of `larq_irnet.layers.InformationRecovery`, or `None` for no recovery.

    # Arguments
        recovery: "none", one of `presets`, or the arguments themselves, "ratio" and
            maybe "groups"; `None` for the default.
        presets: Arguments by the name of the preset.
        default: "none" or one of `presets`.

    # Raises
        ValueError: for another name, and for other arguments.

    # Example
        >>> chosen_recovery("D", {"A": {"ratio": 1}, "D": {"ratio": 20}})
        {'ratio': 20}
        >>> print(chosen_recovery("none", {}))
        None
    """
    if isinstance(recovery, Mapping):
        if not {"ratio"} <= {*recovery} <= _ARGUMENTS:
            raise ValueError(
                "Expected `recovery` with a 'ratio' and maybe 'groups', got "
                f"{dict(recovery)}."
            )
        return recovery
    recovery = default if recovery is None else recovery
    if recovery == NO_RECOVERY:
        return None
    if recovery not in presets:
        raise ValueError(
            f"Expected `recovery` out of {[NO_RECOVERY, *presets]} or a mapping with "
            f"a 'ratio', got {recovery!r}."
        )
    return presets[recovery]
