"""What a student's process may take, and how it is held to it from inside.

These limits stop accidents. They are no sandbox: what one user's process can read, delete or kill,
this one can too. `rsedu.grade.sandbox.bubblewrap` gives it a world of its own.
"""

from dataclasses import dataclass

from rsedu.errors import InputError

MiB = 2**20
_DATA_SHARE = 0.8


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one process may take; where it takes more, it is stopped and the rest goes on.

    Attributes:
        answer_s: seconds of one call of an answer.
        wall_s: seconds of the process, from start to end.
        memory_mb: of the process and all that it starts, in 2^20 bytes. The data of one process
            may take four fifths of it: the rest is for libraries, and so Python's own MemoryError,
            which names a line, comes before the blow from outside.
        output_kb: printed or written to its standard streams, in 2^10 bytes.
        reply_mb: of all answers together, as they come back, in 2^20 bytes.
        file_mb: of each file it writes, in 2^20 bytes.
        processes: it may start, threads counted too.
    """

    answer_s: float = 10.0
    wall_s: float = 60.0
    memory_mb: int = 2048
    output_kb: int = 1024
    reply_mb: int = 16
    file_mb: int = 64
    processes: int = 32

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise InputError(f"{name} is {value}; wanted more than 0.")
        if self.answer_s >= self.wall_s:
            raise InputError(
                f"One call may take {self.answer_s:g} s, and the whole process {self.wall_s:g} s: "
                "give the process more than the call, or one slow answer takes the others along."
            )


def restrain(limits: Limits, *, started: int) -> None:
    """Hold this process, and whatever it starts, to the limits; there is no way back.

    Args:
        limits: to set. Seconds and bytes are those of each process; the grader watches the sum.
        started: processes and threads that the user has now; Linux counts all of them together,
            and none where the user is root.
    """
    import resource

    seconds = int(limits.wall_s) + 1
    wanted = {
        "RLIMIT_CPU": seconds,
        "RLIMIT_DATA": int(_DATA_SHARE * limits.memory_mb) * MiB,
        "RLIMIT_FSIZE": limits.file_mb * MiB,
        "RLIMIT_NPROC": started + limits.processes,
        "RLIMIT_CORE": 0,
    }
    for name, value in wanted.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (allowed, allowed))
