"""Whatever a process does, it ends in its words or in one clear error."""

import os
import subprocess
import sys
import time

import pytest

from tflite_export import limited_process
from tflite_export.limited_process import ProcessError, run_limited

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux limits the memory of a process"
)


def run(script, **limits):
    command = [sys.executable, "-c", script]
    return run_limited(command, **{"timeout": 60.0, **limits})


def test_what_it_said_is_returned():
    assert "two words" in run("import sys; print('two words', file=sys.stderr)")


def test_of_very_much_only_the_end_is_kept():
    script = "import sys; sys.stderr.write('a' * 10**7 + 'the end')"
    words = run(script)
    assert words.endswith("the end")
    assert len(words) < 10**5


@pytest.mark.parametrize(
    "script, words",
    [
        ("raise ValueError('unknown operator')", "exit code 1.*unknown operator"),
        ("import sys; sys.exit(3)", "exit code 3.*said nothing"),
        ("import os; os.abort()", r"crashed \(SIGABRT\)"),
        ("import os; os.kill(os.getpid(), 11)", r"crashed \(SIGSEGV\)"),
        ("import os; os.kill(os.getpid(), 9)", r"killed \(SIGKILL\).*memory runs out"),
    ],
)
def test_how_it_ended_is_named(script, words):
    with pytest.raises(ProcessError, match=words):
        run(script)


@linux_only
@pytest.mark.parametrize(
    "script", ["bytearray(4 * 2**30)", "import mmap; mmap.mmap(-1, 4 * 2**30)"]
)
def test_memory_is_limited(script):
    with pytest.raises(ProcessError, match="ran out of its memory of 2 GiB") as error:
        run(script, memory_limit=2 * 2**30)
    assert "memory_limit" in error.value.remedy
    run(script, memory_limit=8 * 2**30)  # reserved, not used


def exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().split()[2] != "Z"  # dead, and not waited for by its parent


@linux_only
def test_a_hanging_process_is_stopped_with_all_that_it_started(tmp_path):
    pids = tmp_path / "pids"
    script = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; "
        "time.sleep(600)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)"
    )
    start = time.monotonic()
    with pytest.raises(ProcessError, match="did not end within 3 s") as error:
        run(script, timeout=3.0)
    assert "timeout" in error.value.remedy
    assert time.monotonic() - start < 30.0
    deadline = time.monotonic() + 10.0
    for pid in map(int, pids.read_text().split()):
        while exists(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not exists(pid)


def test_an_interruption_stops_it(monkeypatch):
    waiting: list[subprocess.Popen] = []
    wait = subprocess.Popen.wait

    def interrupted(process, timeout=None):
        if not waiting:
            waiting.append(process)
            raise KeyboardInterrupt
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("import time; time.sleep(600)")
    assert waiting[0].returncode is not None


@pytest.mark.parametrize(
    "limits, words",
    [
        ({"timeout": 0.0}, "`timeout` of more than 0 s, got 0"),
        ({"timeout": float("nan")}, "got nan"),
        ({"memory_limit": 0}, "`memory_limit` of more than 0 bytes, got 0"),
    ],
)
def test_limits_are_checked(limits, words):
    with pytest.raises(ValueError, match=words):
        run("pass", **limits)


def test_memory_cannot_be_limited_everywhere(monkeypatch):
    monkeypatch.setattr(limited_process.sys, "platform", "darwin")
    with pytest.raises(ValueError, match="only Linux"):
        limited_process.check_limits(1.0, 2**30)
    assert limited_process.default_memory_limit() is None


def test_log_lines_are_not_its_words():
    stderr = (
        "I0000 00:00:1 noise\nWARNING: all\nTraceback (most recent call last):\n"
        '  File "x.py", line 1\n    ^^^^\nreal trouble\n'
    )
    assert limited_process._last_words(stderr) == "real trouble"
