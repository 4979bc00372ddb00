"""A device that is a folder of this machine; its `adb`, `ssh` and `scp` end here.

Runs scripts in a shell of this machine, with the absolute paths of the device moved
into the folder, and the programs of the device in front of the PATH. The file `state`
in the folder tells what goes wrong. A program for ARM becomes the stand-in benchmark.
Each command starts a Python, so only modules that take no time to load are imported.
"""

import marshal
import os
import sys

ROOT = os.environ["STAND_IN_DEVICE"]
with open(f"{ROOT}/state", "rb") as _file:
    STATE = marshal.load(_file)
_PHONE = "/data/local/tmp"
_OWN = ("/tmp", "/sys/class", "/sys/devices", "/proc/device-tree", "/etc/")
_BENCHMARK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "benchmark.py")


def log(arguments):
    """Notes a command; gives its number, from 1."""
    with open(f"{ROOT}/log", "a+") as file:
        file.write(f"{arguments!r}\n")
        file.seek(0)
        return len(file.readlines())


def moved(text):
    """The paths of the device within the folder."""
    text = text.replace(_PHONE, "\0")
    for path in _OWN:
        text = text.replace(path, f"{ROOT}{path}")
    return text.replace("\0", f"{ROOT}{_PHONE}")


def shell(script):
    """Runs a script as the device would; gives its exit code."""
    path = f"{ROOT}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"
    environment = {"PATH": path, "STAND_IN_DEVICE": ROOT}
    return os.spawnve(os.P_WAIT, "/bin/sh", ["sh", "-c", moved(script)], environment)


def _copy(source, target):
    with open(source, "rb") as read, open(target, "wb") as written:
        content = read.read()
        if content[:4] == b"\x7fELF":
            command = f"exec {sys.executable} -S -E -u {_BENCHMARK}"
            content = f'#!/bin/sh\n{command} "$@"\n'.encode()
        written.write(content)


def push(files, folder):
    """Copies files into a folder of the device."""
    if "push" in STATE:
        sys.exit(STATE["push"])
    for file in files:
        _copy(file, f"{moved(folder)}/{os.path.basename(file)}")


def pull(files, folder):
    """Copies files of the device into a folder."""
    for file in files:
        _copy(moved(file), f"{folder}/{os.path.basename(file)}")


def is_lost(number):
    """Whether the device is gone before its command of this number."""
    return number >= STATE.get("lost_at", sys.maxsize)
