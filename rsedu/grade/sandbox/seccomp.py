"""seccomp: a process that cannot start another one, by a filter on its system calls.

Counting processes from outside is too slow for a fork bomb, and root's are not counted by Linux at
all. No answer needs a second process, so the kernel is asked to refuse: fork and its kin fail with
"Operation not permitted". Threads may be started. Nothing lifts the filter, and exec keeps it.
"""

import ctypes
import platform
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _HAS_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
_AT_NUMBER, _AT_MACHINE, _AT_FLAGS = 0, 4, 16  # offsets in struct seccomp_data
_CLONE_THREAD = 0x10000
_X32 = 0x40000000  # the same calls under other numbers
_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050001, 0x00050026  # or errno EPERM, ENOSYS
_CLONE3 = 435
# Machine as platform names it: its audit number, clone, and what else starts a process.
_MACHINES = {
    "x86_64": (0xC000003E, 56, (57, 58)),
    "aarch64": (0xC00000B7, 220, ()),
}

Instruction = tuple[int, int, int, int]


class _Filter(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("operand", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filters", ctypes.POINTER(_Filter)))


def program(machine: str) -> list[Instruction]:
    """Write the filter: (code, jump if true, jump if false, operand), jumps in instructions.

    Args:
        machine: "x86_64" or "aarch64".
    """
    audit, clone, others = _MACHINES[machine]
    refused = [_CLONE3, *others]
    # The last five instructions: is it a thread? allow; refuse; unknown.
    count = len(refused)
    lines = [(_LOAD, 0, 0, _AT_MACHINE), (_EQUAL, 0, count + 6, audit), (_LOAD, 0, 0, _AT_NUMBER)]
    lines.append((_AT_LEAST, count + 4, 0, _X32))
    for place, number in enumerate(refused):
        behind = count - place  # instructions up to, and with, the question for clone
        # clone3 keeps its flags in memory, out of sight: called unknown, libc falls back to clone.
        lines.append((_EQUAL, behind + (4 if number == _CLONE3 else 3), 0, number))
    lines.append((_EQUAL, 0, 2, clone))
    lines += [(_LOAD, 0, 0, _AT_FLAGS), (_HAS_BIT, 0, 1, _CLONE_THREAD)]
    return [*lines, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _UNKNOWN)]


def forbid_processes() -> bool:
    """Take from this process the means to start another.

    Returns:
        Whether the kernel agreed; never on systems other than Linux on x86_64 and aarch64.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _MACHINES:
        return False
    lines = program(machine)
    filters = (_Filter * len(lines))(*(_Filter(*line) for line in lines))
    whole = _Program(len(lines), filters)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(whole), 0, 0) == 0)
