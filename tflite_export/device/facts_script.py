"""The shell scripts that ask a device what it is, and what state it is in.

They print lines of a key and a value with a tab between, and nothing for what a device
does not tell.
"""

import shlex

__all__ = ["HEAT_SCRIPT", "facts_script", "read_fields"]

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
