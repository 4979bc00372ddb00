"""A program is looked at before it goes to a device."""

import hashlib

import pytest

from tests.tflite_export.device.conftest import TARGETS, program
from tflite_export.device import benchmark_binary
from tflite_export.device.benchmark_binary import check_binary
from tflite_export.device.elf import Elf, read_elf


@pytest.fixture
def check(tmp_path):
    def check_content(content, system="android", **options):
        path = tmp_path / benchmark_binary.ASSETS[system]
        path.write_bytes(content)
        return check_binary(path, TARGETS[system], **options)

    return check_content


def test_headers():
    assert read_elf(program("android")) == Elf("AArch64", "android", None)
    assert read_elf(program("linux")) == Elf("AArch64", "linux", (2, 34))
    several = program("linux", glibc=b"GLIBC_2.17\0GLIBC_2.4\0GLIBC_2.29\0")
    assert read_elf(several).glibc == (2, 29)
    assert read_elf(program(machine=62)).machine == "x86-64"


@pytest.mark.parametrize("end", [0, 4, 63, 100])
def test_a_program_that_is_cut_off(end):
    with pytest.raises(ValueError, match="no program|cut off"):
        read_elf(program()[:end])


@pytest.mark.parametrize(
    "content, words",
    [
        (program(machine=62), "got one for x86-64"),
        (program(machine=40, bits=1), "got one for 32-bit ARM"),
        (program("linux"), "for Android in .*, got one for Linux with glibc"),
        (program(kind=1), "that is no program"),
        (b"<!DOCTYPE html><html>Not Found", "got no program"),
        (b"", "got no program"),
    ],
)
def test_files_for_something_else(content, words, check):
    with pytest.raises(ValueError, match=f"Expected a program .*{words}") as caught:
        check(content)
    assert "lce_benchmark_model_android_arm64 of release v0.16.0" in str(caught.value)


def test_an_android_program_for_a_board(check):
    with pytest.raises(ValueError, match="for Linux with glibc in .* for Android"):
        check(program("android"), "linux")


def test_no_file(tmp_path):
    with pytest.raises(ValueError, match="found no file .*releases/download/v0.16.0"):
        check_binary(tmp_path / "x", TARGETS["linux"])


def test_checksums(check, monkeypatch):
    content = program()
    actual = hashlib.sha256(content).hexdigest()
    assert check(content, sha256=actual.upper()).is_checked
    with pytest.raises(ValueError, match=f"SHA-256 {'0' * 64}, got {actual}"):
        check(content, sha256="0" * 64)
    unchecked = check(content)
    assert (unchecked.is_checked, unchecked.sha256) == (False, actual)
    name = benchmark_binary.ASSETS["android"]
    monkeypatch.setattr(benchmark_binary, "PINNED_SHA256", {name: actual})
    assert check(content).is_checked
    monkeypatch.setattr(benchmark_binary, "PINNED_SHA256", {name: "1" * 64})
    with pytest.raises(ValueError, match="another file"):
        check(content)
