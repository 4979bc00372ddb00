"""What a device says of its clock being held back."""

import re

__all__ = ["read_throttling"]

_THROTTLED = {  # of a Raspberry Pi
    0: "the supply voltage is too low",
    1: "the clock is capped",
    2: "the processor is throttled",
    3: "the soft temperature limit is reached",
    16: "the supply voltage has been too low since the board was started",
    17: "the clock has been capped since the board was started",
    18: "the processor has been throttled since the board was started",
    19: "the soft temperature limit has been reached since the board was started",
}
_THERMAL_STATUS = (
    "",
    "light",
    "moderate",
    "severe",
    "critical",
    "emergency",
    "shutdown",
)


def read_throttling(fields: dict[str, list[str]]) -> list[str]:
    """What holds the clock back, or did, in words.

    # Arguments
        fields: From what `facts_script` printed.

    # Example
        >>> read_throttling({"throttled": ["throttled=0x4"]})
        ['the processor is throttled']
    """
    found = []
    bits = re.search(r"0x([0-9a-fA-F]+)", fields.get("throttled", [""])[0])
    if bits:
        value = int(bits[1], 16)
        found += [words for bit, words in _THROTTLED.items() if value >> bit & 1]
    status = fields.get("status", ["0"])[0]
    if status.isdigit() and int(status):
        word = _THERMAL_STATUS[min(int(status), len(_THERMAL_STATUS) - 1)]
        found.append(f"Android reports {word} throttling for heat")
    return found
