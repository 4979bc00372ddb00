"""How warm a device is."""

import re

__all__ = ["battery_temperature", "read_temperature"]

_HOTTEST = 150.0  # a zone that claims more, or less than -40, has no sensor
_COLDEST = -40.0


def read_temperature(fields: dict[str, list[str]]) -> float | None:
    """The temperature in degrees Celsius: of the hottest core, else of the battery.

    # Arguments
        fields: From what `HEAT_SCRIPT` printed.

    # Example
        >>> read_temperature({"zone": ["48312 cpu-thermal", "21000 wifi"]})
        48.3
    """
    zones = []
    for zone in fields.get("zone", []):
        heat, _, name = zone.partition(" ")
        celsius = _number(heat)
        if celsius is not None:
            celsius = celsius / 1000 if abs(celsius) > 1000 else celsius
            if _COLDEST < celsius < _HOTTEST and celsius != 0:
                zones.append((name.lower(), round(celsius, 1)))
    cores = [heat for name, heat in zones if re.search("cpu|soc|core|package", name)]
    battery = battery_temperature(fields)
    if cores:
        return max(cores)
    if battery is not None:
        return battery
    return max((heat for _, heat in zones), default=None)


def battery_temperature(fields: dict[str, list[str]]) -> float | None:
    """The temperature of the battery in degrees Celsius."""
    tenths = _number(fields.get("battery heat", [""])[0])
    return None if tenths is None else tenths / 10


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
