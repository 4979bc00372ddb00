"""Everything that can go wrong with a device ends in one sentence, and cleanly."""

import dataclasses
import os
import signal
import threading
import time

import pytest

from tests.tflite_export.device.test_measuring import ONE_RUN
from tflite_export.device import DeviceError, measure, runs
from tflite_export.device.interruption import interruptible

OTHER = "4E5F  device product:oriole model:Pixel_6 transport_id:2"
WAITING = "4E5F  unauthorized usb:1-3 transport_id:2"


@pytest.fixture
def fail(job_of):
    """Measures, and gives the one sentence that this ends in."""

    def measure_in_vain(device, **changes):
        settings = changes.pop("settings", ONE_RUN)
        with pytest.raises(DeviceError) as caught:
            measure(*job_of(device.system, settings=settings, **changes))
        sentence = str(caught.value)
        assert sentence.startswith("Expected ")
        assert sentence.rstrip("`").endswith(".") or "https://" in sentence
        assert "\n" not in sentence
        return sentence

    return measure_in_vain


@pytest.mark.parametrize(
    "devices, words",
    [
        ([], ["found none", "USB debugging"]),
        (
            ["0A1B  device model:Pixel_4", OTHER],
            ["found 2", "0A1B (Pixel_4), device; 4E5F (Pixel_6)", "--serial"],
        ),
        ([WAITING], ["4E5F", "has not allowed this computer", "Unlock the phone"]),
        (["4E5F  offline"], ["4E5F is offline", "Plug it in again"]),
        (["4E5F  no permissions (verify udev rules); see [x]"], ["udev rules"]),
        (["4E5F  recovery"], ["in state 'recovery'"]),
    ],
)
def test_the_list_of_devices(devices, words, phone, fail):
    phone.set(devices=devices)
    sentence = fail(phone)
    assert all(word in sentence for word in words), sentence
    assert phone.commands == [["adb", "devices", "-l"]]


def test_a_serial_that_is_not_there(phone, fail):
    sentence = fail(phone, serial="X1")
    assert "'X1', found: 0A1B2C3D (Pixel_4), device" in sentence


def test_a_serial_among_several(phone, job_of):
    phone.set(devices=["0A1B2C3D  device", OTHER])
    measure(*job_of(serial="4E5F", settings=ONE_RUN))
    assert all(command[:3] == ["adb", "-s", "4E5F"] for command in phone.commands[1:])


def test_the_one_that_is_ready_among_several(phone, job_of):
    phone.set(devices=[WAITING, "0A1B2C3D  device"])
    measure(*job_of(settings=ONE_RUN))
    assert phone.commands[1][2] == "0A1B2C3D"


@pytest.mark.parametrize("words", ["error: device offline", "error: closed"])
@pytest.mark.parametrize("lost_at", [4, 5, 6, 8])
def test_a_phone_that_is_lost_before_there_is_a_result(lost_at, words, phone, fail):
    phone.set(lost_at=lost_at, words=words)
    sentence = fail(phone)
    assert "offline" in sentence or "not connected any more" in sentence
    assert "is left on 0A1B2C3D" in sentence
    (left,) = phone.left
    assert f"adb -s 0A1B2C3D shell 'rm -rf /data/local/tmp/{left.name}'" in sentence


def test_a_phone_that_is_lost_before_anything_was_made(phone, fail):
    phone.set(lost_at=2, words="adb: device '0A1B2C3D' not found")
    assert "not connected any more" in fail(phone)
    assert phone.left == []


@pytest.mark.parametrize(
    "words, expected",
    [
        ("Host key verification failed.", "accept the key"),
        ("pi@board: Permission denied (publickey,password).", "ssh-copy-id"),
        ("ssh: Could not resolve hostname board: Name or service", "Correct --target"),
        ("ssh: connect to host board port 22: Connection refused", "give its port"),
        ("ssh: connect to host board port 22: No route to host", "cannot be reached"),
        ("Timeout, server board not responding.", "cannot be reached"),
        ("@ REMOTE HOST IDENTIFICATION HAS CHANGED! @", "ssh-keygen -R"),
        ("kex_exchange_identification: nonsense", "exit code 255: kex_exchange"),
    ],
)
def test_a_board_that_does_not_let_in(words, expected, board, fail):
    board.set(lost_at=1, words=words)
    assert expected in fail(board)
    assert len(board.commands) == 1


def test_a_board_that_is_lost_before_there_is_a_result(board, fail):
    board.set(lost_at=6, words="client_loop: send disconnect: Broken pipe")
    sentence = fail(board)
    assert "cannot be reached, or not any more" in sentence
    assert "is left on pi@board" in sentence


@pytest.mark.parametrize("program", ["adb", "ssh"])
def test_a_program_that_is_not_installed(program, use_device, fail, monkeypatch):
    device = use_device("android" if program == "adb" else "linux")
    monkeypatch.setenv("PATH", "/nowhere")
    sentence = fail(device)
    assert f"Expected `{program}` on this machine, found none. Install" in sentence


def test_a_full_disk_is_seen_before(phone, fail):
    phone.free(100)
    assert "Expected 2.1 MB of free space on the device, got 0.1 MB" in fail(phone)
    assert len(phone.commands) == 2


@pytest.mark.parametrize("system", ["android", "linux"])
def test_a_full_disk_is_seen_while_copying(system, use_device, fail):
    device = use_device(system)
    device.set(push="adb: error: failed to copy: remote: No space left on device")
    assert "its storage is full. Make room on it" in fail(device)
    assert device.left == []


def test_a_folder_that_may_not_be_used(board, fail):
    sentence = fail(board, parent="/tmp/missing")
    assert "Expected to make the folder /tmp/missing/irnet-" in sentence
    assert "--remote_folder" in sentence


def test_a_32_bit_phone(phone, fail):
    phone.prop("ro.product.cpu.abilist", "armeabi-v7a,armeabi")
    assert "64-bit system (arm64-v8a), got armeabi-v7a, armeabi" in fail(phone)


def test_a_32_bit_board(board, fail):
    board.program("uname", "echo armv7l")
    assert "64-bit Linux (aarch64), got 'armv7l'" in fail(board)


def test_32_bit_programs_on_a_64_bit_kernel(board, fail):
    board.getconf(bits=32, libc="glibc 2.36")
    assert "32-bit programs on a 64-bit kernel" in fail(board)


def test_a_glibc_that_is_too_old(board, fail):
    board.getconf(bits=64, libc="glibc 2.31")
    assert "glibc 2.34 or newer, which lce_benchmark_model_aarch64 needs" in fail(board)


def test_a_system_without_glibc(board, fail):
    board.getconf(bits=64, libc="")
    board.program("ldd", "echo 'musl libc (aarch64)' >&2")
    sentence = fail(board)
    assert "glibc 2.34 or newer, got Debian" in sentence
    assert "musl" in sentence


@pytest.mark.parametrize(
    "benchmark, words",
    [
        ("stock", ["does not know LceQuantize", "TensorFlow Lite's own", "v0.16.0"]),
        ("old", ["wrote no outputs", "v0.16.0"]),
        ("1 something else", ["exit code 1", "something else"]),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_benchmark_that_fails(benchmark, words, phone, fail):
    phone.set(benchmark=benchmark)
    sentence = fail(phone)
    assert all(word in sentence for word in words), sentence
    assert phone.left == []


def _hanging(device):
    """Waits for the benchmark to run on the device; gives its number."""
    for _ in range(600):
        for path in device.left:
            pid = path / "running.pid"
            if pid.exists() and pid.read_text().strip():
                return int(pid.read_text())
        time.sleep(0.05)
    raise AssertionError("no benchmark was started")


def _ends(pid):
    """Whether a process that was killed is gone, which takes a moment."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_benchmark_that_hangs(board, fail, monkeypatch):
    board.set(benchmark="hang")
    monkeypatch.setattr(runs, "_CHECK_SECONDS", 0.5)
    pids = []
    thread = threading.Thread(target=lambda: pids.append(_hanging(board)))
    thread.start()
    sentence = fail(board, settings=dataclasses.replace(ONE_RUN, timeout=1.0))
    thread.join()
    assert "to end within 1.5 s, it did not, and was stopped" in sentence
    assert "--timeout" in sentence
    assert board.left == []
    assert _ends(pids[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_measurement(number, phone, job_of):
    phone.set(benchmark="hang")
    pids = []

    def interrupt():
        pids.append(_hanging(phone))
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    before = signal.signal(number, signal.default_int_handler)
    thread.start()
    with pytest.raises(KeyboardInterrupt), interruptible():
        measure(*job_of(settings=ONE_RUN))
    thread.join()
    assert signal.signal(number, before) is signal.default_int_handler
    assert phone.left == []
    assert _ends(pids[0])


def test_what_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_interruption_of_a_lost_device(phone, job_of, caplog):
    phone.set(benchmark="hang")

    def interrupt():
        _hanging(phone)
        phone.set(lost_at=1)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt), interruptible():
        measure(*job_of(settings=ONE_RUN))
    thread.join()
    (left,) = phone.left
    assert f"The folder /data/local/tmp/{left.name} is left on 0A1B2C3D" in caplog.text
    os.kill(_hanging(phone), signal.SIGKILL)
