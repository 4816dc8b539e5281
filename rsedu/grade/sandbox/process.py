"""Subprocess under limits, held from outside; nothing that it started survives it."""

import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import psutil

from rsedu.grade.sandbox.limits import Limits, MiB

Stopped = Literal["", "time", "memory", "processes", "output", "reply", "grader"]
_MARK = "RSEDU_GRADE_RUN"
_TICK_S = 0.1
_LINGER_S = 1.0
_ROUNDS = 200


@dataclass(kw_only=True)
class Ended:
    """What came of a process.

    Attributes:
        reply: what it wrote to its standard output.
        said: what it wrote to its standard error.
        stopped: which limit it ran into; empty where it ended by itself.
        status: its exit status; below 0 the signal that ended it.
        memory_mb: most memory of it and its children that was seen, in 2^20 bytes.
    """

    reply: bytearray = field(default_factory=bytearray)
    said: bytearray = field(default_factory=bytearray)
    stopped: Stopped = ""
    status: int = 0
    memory_mb: float = 0.0


def _family(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return [process]


def _is_stray(process: psutil.Process, leader: int, mark: str) -> bool:
    """Whether a process that has lost its parents came from this run."""
    with suppress(psutil.Error, OSError):
        return os.getsid(process.pid) == leader or process.environ().get(_MARK) == mark
    return False


def _end(leader: int, mark: str) -> None:
    """Kill a process and all that came from it, until nothing is left.

    In a namespace the first blow takes all. Without one, what has left the group is looked for.
    """
    for _ in range(_ROUNDS):
        with suppress(OSError):
            os.killpg(leader, signal.SIGKILL)
        left = [each for each in psutil.process_iter() if _is_stray(each, leader, mark)]
        alive = [each for each in left if _runs(each)]
        for each in alive:
            with suppress(psutil.Error):
                each.kill()
        if not alive:
            return


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _watch(leader: psutil.Process, ended: Ended, limits: Limits) -> Stopped:
    """Look at the sums: processes with their threads, and memory."""
    memory = threads = 0
    for process in _family(leader):
        with suppress(psutil.Error):
            threads += process.num_threads()
            memory += process.memory_info().rss
    if threads > limits.processes + 3:  # bubblewrap's own two, and the child
        return "processes"
    ended.memory_mb = max(ended.memory_mb, memory / MiB)
    return "memory" if ended.memory_mb > limits.memory_mb else ""


def _read(
    ready: Sequence[Any], selector: selectors.BaseSelector, ended: Ended, limits: Limits
) -> Stopped:
    """Take what has been written; too much of it is a reason to stop."""
    for key, _ in ready:
        piece = os.read(key.fd, 1 << 16)
        if not piece:
            selector.unregister(key.fileobj)
            continue
        key.data.extend(piece)
    if len(ended.reply) > limits.reply_mb * MiB:
        return "reply"
    return "output" if len(ended.said) > limits.output_kb * 1024 else ""


def _attend(
    process: "subprocess.Popen[bytes]", ended: Ended, limits: Limits, stop: threading.Event | None
) -> Stopped:
    """Read and watch until the process ends or has to be ended."""
    leader, start = psutil.Process(process.pid), time.monotonic()
    look, gone = start, None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout or -1, selectors.EVENT_READ, ended.reply)
        selector.register(process.stderr or -1, selectors.EVENT_READ, ended.said)
        while True:
            ready = selector.select(_TICK_S)
            now = time.monotonic()
            found = _read(ready, selector, ended, limits)
            if now >= look and not found:
                found, look = _watch(leader, ended, limits), now + _TICK_S
            if found or now - start > limits.wall_s:
                return found or "time"
            if stop is not None and stop.is_set():
                return "grader"
            if process.poll() is not None:
                gone = gone or now
                # A child left behind may hold the pipes open for ever.
                if not selector.get_map() or (not ready and now - gone > _LINGER_S):
                    return ""


@contextmanager
def _file_of(content: bytes) -> Iterator[Any]:
    """Content as a file to read, since a pipe would block where it is not read."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        yield file


def run(
    command: Sequence[str],
    content: bytes,
    *,
    folder: str,
    environment: Mapping[str, str],
    limits: Limits,
    stop: threading.Event | None = None,
) -> Ended:
    """Run a command to its end, or to its limits.

    Args:
        command: what to run.
        content: of its standard input.
        folder: it runs in.
        environment: all the variables it gets.
        limits: beyond which it is ended, and whatever it started.
        stop: ends it when set.

    Returns:
        What came of it; whatever it does, this does not raise.
    """
    ended, mark = Ended(), uuid.uuid4().hex
    with _file_of(content) as file:
        process = subprocess.Popen(
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**environment, _MARK: mark},
            start_new_session=True,
            bufsize=0,
        )
        try:
            ended.stopped = _attend(process, ended, limits, stop)
        finally:
            _end(process.pid, mark)
            ended.status = process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
    return ended
