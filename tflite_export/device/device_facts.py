"""What a device is, and what state it is in."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "DeviceFacts",
    "HEAT_SCRIPT",
    "facts_script",
    "read_facts",
    "read_fields",
    "read_temperature",
]

HEAT_SCRIPT = r"""
for zone in /sys/class/thermal/thermal_zone*; do
  heat=$(cat "$zone/temp" 2>/dev/null) &&
    printf 'zone\t%s %s\n' "$heat" "$(cat "$zone/type" 2>/dev/null)"
done
if command -v dumpsys >/dev/null 2>&1; then
  dumpsys battery 2>/dev/null | while read -r key value; do
    case $key in temperature:) printf 'battery heat\t%s\n' "$value" ;; esac
  done
fi
"""
"""Prints what there is to know of temperatures."""

_FACTS = r"""
say() { [ -z "$2" ] || printf '%s\t%s\n' "$1" "$2"; }
say machine "$(uname -m)"
say kernel "$(uname -r)"
say cpus "$(nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo)"
if command -v getprop >/dev/null 2>&1; then
  say model "$(getprop ro.product.manufacturer) $(getprop ro.product.model)"
  say soc "$(getprop ro.soc.model)"
  say abis "$(getprop ro.product.cpu.abilist)"
  say android "$(getprop ro.build.version.release)"
  say api "$(getprop ro.build.version.sdk)"
  dumpsys battery 2>/dev/null | while read -r key value; do
    case $key in
      level:) say battery "$value" ;;
    esac
    case "$key $value" in
      *" powered: true") say powered yes ;;
    esac
  done
  dumpsys thermalservice 2>/dev/null | while read -r key value; do
    case "$key $value" in "Thermal Status: "*) say status "${value#Status: }" ;; esac
  done
else
  say model "$(tr -d '\000' </proc/device-tree/model 2>/dev/null)"
  say system "$(. /etc/os-release 2>/dev/null && printf %s "$PRETTY_NAME")"
  say bits "$(getconf LONG_BIT 2>/dev/null)"
  say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1)"
  say throttled "$(vcgencmd get_throttled 2>/dev/null)"
fi
for cpu in /sys/devices/system/cpu/cpu[0-9]*/cpufreq; do
  say governor "$(cat "$cpu/scaling_governor" 2>/dev/null)"
  say maximum "$(cat "$cpu/cpuinfo_max_freq" 2>/dev/null)"
done
"""

_HOTTEST = 150.0  # a zone that claims more, or less than -40, has no sensor
_COLDEST = -40.0
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
_THERMAL_STATUS = ("", "light", "moderate", "severe", "critical", "emergency", "shut")


@dataclass(frozen=True)
class DeviceFacts:
    """What a device tells of itself; what it does not tell is `None` or empty.

    # Attributes
        system: "android" or "linux".
        model: Such as "Google Pixel 4" or "Raspberry Pi 4 Model B Rev 1.2".
        version: Such as "Android 13 (API 33)" or "Debian GNU/Linux 12, glibc 2.36".
        machine: Of the kernel, such as "aarch64".
        abis: Of Android, such as ("arm64-v8a", "armeabi-v7a").
        bits: Of the programs that Linux runs, 32 or 64.
        api: Of Android.
        glibc: Its version, of Linux.
        cpus: How many cores.
        megahertz: The highest clock of each kind of core, the fastest first.
        governors: Of the clock, each once.
        free_bytes: Where the model is put.
        celsius: The temperature of the processor, else of the battery.
        battery_celsius: The temperature of the battery.
        throttling: What holds the clock back, or did, in words.
        battery_percent: How full it is.
        is_powered: Whether a phone is being charged.
    """

    system: str
    model: str
    version: str
    machine: str
    abis: tuple[str, ...]
    bits: int | None
    api: int | None
    glibc: tuple[int, int] | None
    cpus: int
    megahertz: tuple[int, ...]
    governors: tuple[str, ...]
    free_bytes: int | None
    celsius: float | None
    battery_celsius: float | None
    throttling: tuple[str, ...]
    battery_percent: int | None
    is_powered: bool


def facts_script(folder: str) -> str:
    """The script that prints what `read_facts` reads.

    # Arguments
        folder: Where there has to be space.
    """
    space = f"df -k {shlex.quote(folder)} 2>/dev/null | tail -n 1"
    return f"{_FACTS}\n{HEAT_SCRIPT}\nsay space \"$({space} | tr -s ' \\t' ' ')\"\ntrue"


def read_fields(text: str) -> dict[str, list[str]]:
    """Reads lines of a key and a value with a tab between."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, tab, value = line.partition("\t")
        if tab and value.strip():
            fields.setdefault(key, []).append(value.strip())
    return fields


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
    battery = _battery_heat(fields)
    if cores:
        return max(cores)
    if battery is not None:
        return battery
    return max((heat for _, heat in zones), default=None)


def read_facts(text: str, system: str) -> DeviceFacts:
    """Reads what `facts_script` has printed.

    # Arguments
        text: What it printed.
        system: "android" or "linux".
    """
    fields = read_fields(text)
    glibc = re.search(
        r"glibc\D*(\d+)\.(\d+)|ldd \(.*\) (\d+)\.(\d+)",
        _first(fields, "libc"),
        re.IGNORECASE,
    )
    numbers = [int(one) for one in glibc.groups() if one] if glibc else []
    clocks = sorted(
        {int(one) // 1000 for one in fields.get("maximum", []) if one.isdigit()},
        reverse=True,
    )
    soc = _first(fields, "soc")
    return DeviceFacts(
        system=system,
        model=_first(fields, "model") + (f" ({soc})" if soc else ""),
        version=_version(fields, system),
        machine=_first(fields, "machine"),
        abis=tuple(filter(None, _first(fields, "abis").split(","))),
        bits=_whole(_first(fields, "bits")),
        api=_whole(_first(fields, "api")),
        glibc=(numbers[0], numbers[1]) if numbers else None,
        cpus=_whole(_first(fields, "cpus")) or 1,
        megahertz=tuple(clocks),
        governors=tuple(dict.fromkeys(fields.get("governor", []))),
        free_bytes=_free_bytes(_first(fields, "space")),
        celsius=read_temperature(fields),
        battery_celsius=_battery_heat(fields),
        throttling=tuple(_throttling(fields)),
        battery_percent=_whole(_first(fields, "battery")),
        is_powered="powered" in fields,
    )


def _battery_heat(fields: dict[str, list[str]]) -> float | None:
    tenths = _number(_first(fields, "battery heat"))
    return None if tenths is None else tenths / 10


def _first(fields: dict[str, list[str]], key: str) -> str:
    return fields.get(key, [""])[0]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _version(fields: dict[str, list[str]], system: str) -> str:
    if system == "android":
        api = _first(fields, "api")
        return f"Android {_first(fields, 'android')}" + (f" (API {api})" if api else "")
    parts = (_first(fields, "system"), _first(fields, "libc"))
    return ", ".join(filter(None, parts))


def _free_bytes(line: str) -> int | None:
    """The fourth column of `df -k`: kibibytes that are free."""
    columns: Sequence[str] = line.split()
    shares = [index for index, one in enumerate(columns) if one.endswith("%")]
    if not shares or shares[0] < 1 or not columns[shares[0] - 1].isdigit():
        return None
    return 1024 * int(columns[shares[0] - 1])


def _throttling(fields: dict[str, list[str]]) -> list[str]:
    found = []
    bits = re.search(r"0x([0-9a-fA-F]+)", _first(fields, "throttled"))
    if bits:
        value = int(bits[1], 16)
        found += [words for bit, words in _THROTTLED.items() if value >> bit & 1]
    status = _whole(_first(fields, "status")) or 0
    if status:
        word = _THERMAL_STATUS[min(status, len(_THERMAL_STATUS) - 1)]
        found.append(f"Android reports {word} throttling for heat")
    return found
