"""Devices that are folders of this machine."""

import hashlib
import os
import shlex
import struct
import sys
from pathlib import Path

import pytest

from larq_irnet.atomic_path import atomic_path
from tests.tflite_export.tiny_flatbuffer import as_bytes, tiny_model
from tflite_export.device import Job, MeasuredModel, Settings, Target, check_binary
from tflite_export.device.output_check import random_samples

STAND_INS = Path(__file__).with_name("stand_in")
LOADERS = {
    "android": b"/system/bin/linker64",
    "linux": b"/lib/ld-linux-aarch64.so.1",
}
PIXEL = "0A1B2C3D  device usb:1-2 product:flame model:Pixel_4 transport_id:1"


def program(system="android", *, machine=183, bits=2, kind=3, glibc=b"GLIBC_2.34"):
    """A file with the header of a program, and nothing to run behind it."""
    loader = LOADERS[system] + b"\0"
    content = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9)
    content += struct.pack("<HHIQQQ", kind, machine, 1, 0, 64, 0)
    content += struct.pack("<IHHHHHH", 0, 64, 56, 1, 0, 0, 0)
    content += struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(loader), len(loader), 1)
    return content + loader + (glibc if system == "linux" else b"")


class StandIn:
    """One device, and how to change it."""

    def __init__(self, folder: Path, system: str):
        self.folder, self.system = folder, system
        self._state: dict = {
            "devices": [PIXEL],
            "lost_at": sys.maxsize,
            "words": "error: device offline",
            "push": "",
            "python": sys.executable,
            "benchmark": "",
        }
        for name in ("bin", "data/local/tmp", "tmp", "etc", "props"):
            (folder / name).mkdir(parents=True)
        for name in ("sys/class/thermal/thermal_zone0", "proc/device-tree"):
            (folder / name).mkdir(parents=True)
        for cpu in range(2):
            path = folder / f"sys/devices/system/cpu/cpu{cpu}/cpufreq"
            path.mkdir(parents=True)
            (path / "scaling_governor").write_text("schedutil\n")
            (path / "cpuinfo_max_freq").write_text(f"{1785600 + 500000 * cpu}\n")
        zone = folder / "sys/class/thermal/thermal_zone0"
        (zone / "type").write_text("cpu-thermal\n")
        (zone / "temp").write_text("41000\n")
        self.program("uname", "case $1 in -m) echo aarch64 ;; *) echo 5.10.0 ;; esac")
        self.program("nproc", "echo 2")
        (folder / "count").write_text("0\n")
        self.free(1_000_000)
        self.set()
        if system == "android":
            self._as_phone()
        else:
            self._as_board()

    def _as_phone(self):
        self.program("getprop", f'cat "{self.folder}/props/$1" 2>/dev/null')
        self.prop("ro.product.manufacturer", "Google")
        self.prop("ro.product.model", "Pixel 4")
        self.prop("ro.product.cpu.abilist", "arm64-v8a,armeabi-v7a,armeabi")
        self.prop("ro.build.version.release", "13")
        self.prop("ro.build.version.sdk", "33")
        self.dumpsys(level=80, temperature=275, powered=True, status=0)

    def _as_board(self):
        (self.folder / "proc/device-tree/model").write_bytes(
            b"Raspberry Pi 4 Model B Rev 1.2\0"
        )
        (self.folder / "etc/os-release").write_text(
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
        )
        self.program("vcgencmd", "echo throttled=0x0")
        self.getconf(bits=64, libc="glibc 2.36")

    def program(self, name, script):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def prop(self, name, value):
        (self.folder / "props" / name).write_text(f"{value}\n")

    def dumpsys(self, *, level, temperature, powered, status):
        self.program(
            "dumpsys",
            "case $1 in\nbattery) printf 'Current Battery Service state:\\n"
            f"  AC powered: false\\n  USB powered: {str(powered).lower()}\\n"
            f"  level: {level}\\n  scale: 100\\n  temperature: {temperature}\\n' ;;\n"
            "thermalservice) printf 'IsStatusOverride: false\\n"
            f"Thermal Status: {status}\\nCached temperatures:\\n' ;;\nesac",
        )

    def getconf(self, *, bits, libc):
        self.program(
            "getconf",
            f"case $1 in LONG_BIT) echo {bits} ;; "
            f"GNU_LIBC_VERSION) {f'echo {libc}' if libc else 'exit 1'} ;; esac",
        )

    def free(self, kibibytes):
        heading = "Filesystem 1K-blocks Used Available Use% Mounted on"
        self.program(
            "df", f"echo '{heading}'\necho '/dev/x 9000000 1 {kibibytes} 1% /data'"
        )

    def set(self, **state):
        """What goes wrong from now on: variables of stand_in/device.sh.

        `benchmark` is for stand_in/benchmark.py. What is not named stays as it is.
        """
        self._state |= state
        assignments = {**self._state, "devices": "\n".join(self._state["devices"])}
        text = "".join(
            f"{name}={shlex.quote(str(value))}\n" for name, value in assignments.items()
        )
        for name, content in (("state", text), ("benchmark", assignments["benchmark"])):
            with atomic_path(self.folder / name) as partial:
                partial.write_text(content)

    @property
    def commands(self) -> list[list[str]]:
        path = self.folder / "log"
        text = path.read_text() if path.exists() else ""
        return [line.split("\0") for line in text.split("\0\0")[:-1]]

    @property
    def left(self) -> list[Path]:
        """What lies in the folders where a measurement may work."""
        parents = (self.folder / "data/local/tmp", self.folder / "tmp")
        return [path for parent in parents for path in parent.iterdir()]


def plug_in(folder: Path, system: str, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Makes a device in a folder, the one that `adb` or `ssh` reaches from now on."""
    device = StandIn(folder / "device", system)
    path = folder / "path"
    path.mkdir()
    for name, script in (("adb", "adb"), ("ssh", "ssh"), ("scp", "ssh")):
        source = shlex.quote(str(STAND_INS))
        text = f'#!/bin/sh\nSTAND_INS={source}\n. "$STAND_INS/{script}.sh"\n'
        (path / name).write_text(text)
        (path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN_DEVICE", str(device.folder))
    return device


@pytest.fixture
def use_device(tmp_path, monkeypatch):
    """Makes a device of one system the one that is reached."""
    return lambda system: plug_in(tmp_path, system, monkeypatch)


@pytest.fixture
def phone(use_device):
    return use_device("android")


@pytest.fixture
def board(use_device):
    return use_device("linux")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Models that add constants, and programs that are headers."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("float_twin", "binary", "int8"):
        (folder / f"{name}.tflite").write_bytes(as_bytes(tiny_model()))
    for system, name in (
        ("android", "lce_benchmark_model_android_arm64"),
        ("linux", "lce_benchmark_model_aarch64"),
    ):
        (folder / name).write_bytes(program(system))
    return folder


TARGETS = {"android": Target("android"), "linux": Target("linux", "board", "pi")}
QUICK = Settings(max_threads=2, rounds=1, sustained_seconds=15.0, samples=2)


@pytest.fixture(scope="module")
def job_of(files):
    """What to measure on a device of one system, and with which tool and samples."""

    def make(system="android", *, names=("float twin", "binary"), **changes):
        models = [
            MeasuredModel(name, files / f"{name.replace(' ', '_')}.tflite")
            for name in names
        ]
        settings = {"title": "tiny", "settings": QUICK, **changes}
        job = Job(models=models, target=TARGETS[system], **settings)
        path = files / job.tool
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        binary = check_binary(path, job.target, sha256=sha256)
        samples = random_samples(models[0].read(), job.settings.samples)
        return job, binary, samples

    return make
