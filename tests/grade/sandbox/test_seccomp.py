"""The filter: read as the kernel reads it, by an interpreter of its own, then in a real process."""

import subprocess
import sys

import pytest

from rsedu.grade.sandbox import seccomp

ALLOW, REFUSE, UNKNOWN = 0x7FFF0000, 0x00050001, 0x00050026
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def _decide(machine: str, number: int, *, flags: int = 0, audit: int | None = None) -> int:
    """Run the program as linux/bpf does, one instruction after the other."""
    data = {0: number, 4: AUDIT[machine] if audit is None else audit, 16: flags}
    lines, place, held = seccomp.program(machine), 0, 0
    while True:
        code, yes, no, operand = lines[place]
        place += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            held = data[operand]
        else:
            true = {0x15: held == operand, 0x35: held >= operand, 0x45: bool(held & operand)}[code]
            place += yes if true else no


@pytest.mark.parametrize(
    ("machine", "number", "flags", "wanted"),
    [
        ("x86_64", 0, 0, ALLOW),  # read
        ("x86_64", 59, 0, ALLOW),  # execve keeps the filter
        ("x86_64", 57, 0, REFUSE),  # fork
        ("x86_64", 58, 0, REFUSE),  # vfork
        ("x86_64", 56, 17, REFUSE),  # clone as fork does
        ("x86_64", 56, 0x4111, REFUSE),  # clone as vfork does
        ("x86_64", 56, 0x3D0F00, ALLOW),  # clone as pthread_create does
        ("x86_64", 435, 0x3D0F00, UNKNOWN),  # clone3
        ("x86_64", 0x40000000 + 57, 0, REFUSE),
        ("aarch64", 57, 0, ALLOW),  # close, on this machine
        ("aarch64", 220, 17, REFUSE),
        ("aarch64", 220, 0x3D0F00, ALLOW),
        ("aarch64", 435, 0, UNKNOWN),
    ],
)
def test_processes_are_refused_and_all_else_is_allowed(
    machine: str, number: int, flags: int, wanted: int
) -> None:
    assert _decide(machine, number, flags=flags) == wanted


def test_calls_in_another_machines_numbers_are_refused() -> None:
    assert _decide("x86_64", 3, audit=0x40000003) == REFUSE


def test_a_real_process_can_start_threads_and_no_process() -> None:
    script = """
import os, subprocess, threading
from rsedu.grade.sandbox.seccomp import forbid_processes
if not forbid_processes():
    raise SystemExit(3)
found = []
thread = threading.Thread(target=found.append, args=(1,))
thread.start()
thread.join()
for start in (os.fork, lambda: subprocess.run(["true"])):
    try:
        start()
    except PermissionError:
        found.append("refused")
print(found)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip("this kernel or machine has no such filter")
    assert done.stdout == "[1, 'refused', 'refused']\n", done.stderr
