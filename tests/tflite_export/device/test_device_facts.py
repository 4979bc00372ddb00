"""What devices tell of themselves."""

from pathlib import Path

import pytest

from tests.tflite_export.device.conftest import program
from tflite_export.device.benchmark_binary import BenchmarkBinary
from tflite_export.device.device_check import check_device
from tflite_export.device.device_facts import read_facts
from tflite_export.device.elf import read_elf
from tflite_export.device.temperature import read_temperature

PHONE = (
    "machine\taarch64\ncpus\t8\nmodel\tGoogle Pixel 4\nsoc\tSM8150\n"
    "abis\tarm64-v8a,armeabi-v7a\nandroid\t13\napi\t33\nbattery\t80\npowered\tyes\n"
    "status\t0\ngovernor\tschedutil\ngovernor\tschedutil\n"
    "maximum\t1785600\n"
    "maximum\t2841600\nzone\t36500 cpu-0-0\nzone\t-273000 broken\n"
    "battery heat\t275\nspace\t/dev/block/dm-5 112000 2000 1000 2% /data\n"
)
BOARD = (
    "machine\taarch64\ncpus\t4\nmodel\tRaspberry Pi 4 Model B Rev 1.2\n"
    "system\tDebian GNU/Linux 12\nbits\t64\nlibc\tglibc 2.36\n"
    "throttled\tthrottled=0x0\n"
    "governor\tondemand\nmaximum\t1800000\nzone\t48312 cpu-thermal\n"
    "space\t/dev/root 30000 1 29000 5% /\n"
)


def judged(text, system):
    content = program(system)
    binary = BenchmarkBinary(Path("tool"), "", True, read_elf(content))
    return check_device(read_facts(text, system), binary)


def test_a_phone():
    facts = read_facts(PHONE, "android")
    assert facts.model == "Google Pixel 4 (SM8150)"
    assert facts.version == "Android 13 (API 33)"
    assert facts.megahertz == (2841, 1785)
    assert facts.governors == ("schedutil",)
    assert facts.free_bytes == 1000 * 1024
    assert (facts.celsius, facts.battery_celsius) == (36.5, 27.5)
    assert (facts.battery_percent, facts.is_powered) == (80, True)


def test_a_board():
    facts = read_facts(BOARD, "linux")
    assert facts.version == "Debian GNU/Linux 12, glibc 2.36"
    assert facts.glibc == (2, 36)
    assert facts.bits == 64
    assert facts.throttling == ()


def test_a_board_whose_getconf_does_not_tell():
    text = BOARD.replace("glibc 2.36", "ldd (Debian GLIBC 2.36-9+deb12u4) 2.36")
    assert read_facts(text, "linux").glibc == (2, 36)


def test_nothing_is_told():
    facts = read_facts("", "linux")
    assert (facts.cpus, facts.celsius, facts.free_bytes) == (1, None, None)


@pytest.mark.parametrize(
    "fields, celsius",
    [
        ({}, None),
        ({"zone": ["48312 cpu-thermal", "99000 gpu"]}, 48.3),
        ({"zone": ["41 cpu"]}, 41.0),
        ({"zone": ["0 cpu", "200000 soc", "x cpu", "35000 gpu"]}, 35.0),
        ({"zone": ["35000 gpu"], "battery heat": ["281"]}, 28.1),
    ],
)
def test_temperatures(fields, celsius):
    assert read_temperature(fields) == celsius


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("governor\tschedutil", "governor\tpowersave", "governor is powersave"),
        ("zone\t36500", "zone\t71000", "The processor has 71 °C"),
        ("battery heat\t275", "battery heat\t430", "The battery has 43 °C"),
        ("status\t0", "status\t2", "Android reports moderate throttling"),
        ("battery\t80\npowered\tyes", "battery\t12", "The battery is at 12 %"),
        ("android\t13\napi\t33", "android\t10\napi\t29", "Android 10 (API 29); the"),
    ],
)
def test_what_makes_numbers_of_a_phone_doubtful(old, new, words):
    assert judged(PHONE, "android") == ()
    (doubt,) = judged(PHONE.replace(old, new), "android")
    assert words in doubt


def test_a_throttled_raspberry_pi():
    doubts = judged(BOARD.replace("=0x0", "=0x50005"), "linux")
    assert doubts == (
        "Before the measurement: the supply voltage is too low.",
        "Before the measurement: the processor is throttled.",
        "Before the measurement: the supply voltage has been too low since the board "
        "was started.",
        "Before the measurement: the processor has been throttled since the board was "
        "started.",
    )
