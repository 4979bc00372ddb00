"""A device that is a folder of this machine; its `adb`, `ssh` and `scp` end here.

Runs scripts in a shell of this machine, with the absolute paths of the device moved
into the folder, and the programs of the device in front of the PATH. `state.json` in
the folder tells what goes wrong. A program for ARM becomes the stand-in benchmark. Few
modules are imported, because each command starts a Python.
"""

import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(os.environ["STAND_IN_DEVICE"])
STATE = json.loads((ROOT / "state.json").read_text())
_OWN = ("/data/local/tmp", "/sys/class", "/sys/devices", "/proc/device-tree", "/etc")
_OURS = re.compile(rf"(?<![\w/])(?:{'|'.join(_OWN)}|/tmp(?=[/\s'\"]|$))")
_BENCHMARK = Path(__file__).with_name("benchmark.py")


def log(arguments):
    """Notes a command; gives its number, from 1."""
    path = ROOT / "log"
    with path.open("a") as file:
        file.write(json.dumps(arguments) + "\n")
    return len(path.read_text().splitlines())


def moved(text):
    """The paths of the device within the folder."""
    return _OURS.sub(lambda found: f"{ROOT}{found[0]}", text)


def shell(script):
    """Runs a script as the device would; gives its exit code."""
    path = f"{ROOT}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"
    environment = {"PATH": path, "STAND_IN_DEVICE": str(ROOT)}
    return os.spawnve(os.P_WAIT, "/bin/sh", ["sh", "-c", moved(script)], environment)


def push(files, folder):
    """Copies files into a folder of the device."""
    if "push" in STATE:
        sys.exit(STATE["push"])
    for file in map(Path, files):
        target = Path(moved(folder), file.name)
        target.write_bytes(file.read_bytes())
        if target.read_bytes()[:4] == b"\x7fELF":
            command = f"exec {sys.executable} -S -E -u {_BENCHMARK}"
            target.write_text(f'#!/bin/sh\n{command} "$@"\n')


def pull(files, folder):
    """Copies files of the device into a folder."""
    for file in files:
        path = Path(moved(file))
        Path(folder, path.name).write_bytes(path.read_bytes())


def is_lost(number):
    """Whether the device is gone before its command of this number."""
    return number >= STATE.get("lost_at", sys.maxsize)
