"""Submissions that mean harm, or look like it: each with the state and the words that name it."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rsedu.grade.sandbox.limits import Limits
from tests.grade.conftest import ROOMY, SHORT, answered, cell, notebook


def ndvi(body: str) -> str:
    """An answer to `ndvi` that does something else first."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return f"def ndvi(red, nir):\n{lines}\n    return red\n"


@dataclass(frozen=True)
class Hostile:
    """One of them.

    Attributes:
        source: of the cell of the exercise `ndvi`.
        state: that `ndvi` ends in.
        says: words of the first line that is told about it.
        limits: it is graded under.
    """

    source: str
    state: str
    says: str
    limits: Limits = ROOMY


_DEAF = (
    "import signal\n"
    "for each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):\n"
    "    signal.signal(each, signal.SIG_IGN)"
)
_WRONG = ("wrong value", "at [0, 0] expected 0.8605, got 0.03")

CODE = {
    "endless": Hostile(ndvi("while True:\n    pass"), "error", "stopped after 1 seconds", SHORT),
    "ignores-signals": Hostile(
        ndvi(f"{_DEAF}\nwhile True:\n    pass"), "error", "it took more than 4 seconds", SHORT
    ),
    # Bounded, and its children fork no further: harmless should the filter ever fail.
    "fork-bomb": Hostile(
        ndvi(
            "import os, time\n"
            "for _ in range(60):\n"
            "    if os.fork() == 0:\n"
            "        time.sleep(5)\n"
            "        os._exit(0)"
        ),
        "error",
        "PermissionError: [Errno 1] Operation not permitted",
    ),
    "thread-bomb": Hostile(
        ndvi(
            f"{_DEAF}\n"
            "import threading, time\n"
            "for _ in range(60):\n"
            "    threading.Thread(target=time.sleep, args=(20,)).start()\n"
            "time.sleep(20)"
        ),
        "error",
        "started more than 20 processes or threads",
    ),
    "memory": Hostile(ndvi("hog = [bytearray(10**7) for _ in range(500)]"), "error", "MemoryError"),
    "shares-its-memory": Hostile(  # which the limit on a process's own data does not count
        ndvi(
            f"{_DEAF}\n"
            "import mmap, time\n"
            "hog, block = mmap.mmap(-1, 900 * 2**20), bytes(100 * 2**20)\n"
            "for _ in range(9):\n"
            "    hog.write(block)\n"
            "time.sleep(60)"
        ),
        "error",
        "it took more than 700 MB of memory",
    ),
    "writes-a-gigabyte": Hostile(
        ndvi("import os\nfor _ in range(1000):\n    os.write(1, b'x' * 10**6)"),
        "error",
        "it wrote more than 1024 kB",
    ),
    "prints-a-gigabyte": Hostile(
        ndvi("for _ in range(10**6):\n    print('x' * 1000)"), "error", "1,000,000 letters"
    ),
    "answers-a-gigabyte": Hostile(
        "import numpy as np\n\n\ndef ndvi(red, nir):\n    return np.zeros((6000, 6000))\n",
        "wrong kind",
        "has shape (6000, 6000); wanted (2, 2)",
    ),
    "exits": Hostile(ndvi("import os\nos._exit(0)"), "error", "with exit status 0"),
    "kills-its-parents": Hostile(
        ndvi("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"), "error", "by signal 9"
    ),
    "crashes": Hostile(ndvi("import ctypes\nctypes.string_at(0)"), "error", "by signal 11"),
    "recurses": Hostile(ndvi("return ndvi(red, nir)"), "error", "RecursionError"),
    "patches-the-checks": Hostile(
        ndvi(
            "import rsedu\n"
            "from rsedu.course import check as checks, compare, registry\n"
            "from rsedu.course.exercise import Verdict\n"
            "passed = Verdict(state='passed', title='', points=2)\n"
            "checks.judge_case = checks.judge = checks.evaluate = lambda *a, **k: passed\n"
            "compare.close = compare.equal = lambda *a, **k: True\n"
            "rsedu.check = print"
        ),
        *_WRONG,
    ),
    "tampers-with-the-check-cell": Hostile(
        "import rsedu\n\nrsedu.check = lambda *a: print('passed: NDVI (2 points)')\n"
        "rsedu.checkpoint = lambda id_, answer: answer\n\n\n"
        "def ndvi(red, nir):\n    return red\n\n\n"
        "rsedu.check('ndvi', ndvi)\n"
        "ndvi = rsedu.checkpoint('ndvi', lambda r, n: (n - r) / (n + r))\n",
        *_WRONG,
    ),
    "forges-the-channel": Hostile(
        ndvi(
            "import os\n"
            'case = \'{"exercise": "ndvi", "event": "case", "case": 0}\'\n'
            "done = case.replace('case', 'done')\n"
            "for fd in range(3, 20):\n"
            "    for line in ('{', '[]', case, done, '[' * 5000):\n"
            "        try:\n"
            "            os.write(fd, (line + '\\n').encode())\n"
            "        except OSError:\n"
            "            pass"
        ),
        "error",
        "in no known form",
    ),
    "forges-its-end": Hostile(  # at each try, for an exercise that was done before
        ndvi(
            "import os\n"
            'done = \'{"exercise": "reflectance", "event": "done"}\\n\'.encode()\n'
            "for fd in range(3, 20):\n"
            "    try:\n"
            "        os.write(fd, done)\n"
            "    except OSError:\n"
            "        pass\n"
            "os._exit(0)"
        ),
        "error",
        "with exit status 0",
    ),
    "answers-with-a-trap": Hostile(
        "class Trap:\n"
        "    shape = property(lambda self: 1 / 0)\n"
        "    def __reduce__(self):\n        return open, ('/tmp/trapped', 'w')\n"
        "    def __eq__(self, other):\n        return True\n\n\n"
        "def ndvi(red, nir):\n    return Trap()\n",
        "wrong kind",
        "Your answer is a Trap; wanted a numpy array",
    ),
    "injects-html": Hostile(
        ndvi("raise ValueError('<script>alert(1)</script><img src=x onerror=alert(1)>')"),
        "error",
        "<script>alert(1)</script>",
    ),
}

# Those that the limits stop, with a namespace and without.
STOPPED = (
    *("endless", "ignores-signals", "fork-bomb", "thread-bomb", "memory", "shares-its-memory"),
    *("writes-a-gigabyte", "prints-a-gigabyte", "exits", "kills-its-parents", "crashes"),
    *("forges-the-channel", "forges-its-end"),
)

# These need a namespace to be stopped: limits alone do not know files from files.
SEALED = {
    "reads-the-key": Hostile(
        ndvi("open({key!r}).read()"), "error", "FileNotFoundError: [Errno 2] No such file"
    ),
    "reads-the-others": Hostile(
        ndvi("import os\nraise ValueError(os.listdir({folder!r}))"), "error", "FileNotFoundError"
    ),
    "deletes-the-others": Hostile(
        ndvi("import shutil\nshutil.rmtree({folder!r})"), "error", "FileNotFoundError"
    ),
    "deletes-the-kit": Hostile(
        ndvi("import os, rsedu\nos.unlink(rsedu.__file__)"),
        "error",
        "OSError: [Errno 30] Read-only",
    ),
    "calls-home": Hostile(
        ndvi("import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=1)"),
        "error",
        "ConnectionRefusedError",
    ),
    "kills-the-grader": Hostile(
        ndvi("import os\nos.kill({grader}, 9)"), "error", "ProcessLookupError"
    ),
    "kills-everything": Hostile(ndvi("import os\nos.kill(-1, 9)"), "error", "ProcessLookupError"),
    "fills-the-disk": Hostile(
        ndvi(
            "for number in range(40):\n"
            "    with open(f'/tmp/{{number}}', 'wb') as file:\n"
            "        file.write(bytes(50 * 2**20))"
        ),
        "error",
        "OSError: [Errno 28] No space left",
    ),
    "leaves-a-daemon": Hostile(
        ndvi(
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        os.execv('/usr/bin/sleep', ['sleep', '{nap}'])\n"
            "    os._exit(0)"
        ),
        "error",
        "PermissionError",
    ),
}


def _edited(change: Callable[[dict[str, object]], None]) -> bytes:
    content = notebook()
    change(content)
    return json.dumps(content).encode()


def _without(content: dict[str, object]) -> None:
    content["cells"] = [each for each in content["cells"] if each["id"] != "01-ndvi"]  # type: ignore[attr-defined]


def _doubled(content: dict[str, object]) -> None:
    cells = content["cells"]
    copy = {**cell(content, "ndvi"), "source": "def ndvi(red, nir):\n    return nir - red\n"}
    cells.append(copy)  # type: ignore[attr-defined]


def _in_r(content: dict[str, object]) -> None:
    content["metadata"] = {"kernelspec": {"language": "R", "name": "ir", "display_name": "R"}}


# Notebooks that are odd as files: content, and words of what is said of them.
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "huge": (lambda: b" " * 21_000_000, "It has 21 MB, and 20 are read at most"),
    "cut-off": (lambda: answered()[:5000], "its JSON cannot be read"),
    "nested": (lambda: b"[" * 1_000_000, "its JSON cannot be read (RecursionError)"),
    "binary": (lambda: bytes(range(256)) * 40, "its JSON cannot be read"),
    "empty": (lambda: b"", "its JSON cannot be read"),
    "list": (lambda: b"[]", "no notebook of format 4"),
    "in-r": (lambda: _edited(_in_r), "Its kernel speaks R; wanted Python"),
    "of-no-lesson": (lambda: b'{"cells": []}', "its name tells no lesson"),
}
ODD = {"missing-cell": _without, "double-ids": _doubled}


def write_all(folder: Path, facts: dict[str, object]) -> None:
    """Put every hostile submission into a folder, and an honest one between them.

    Args:
        folder: of the submissions.
        facts: for the placeholders: key, folder, port, grader, nap.
    """
    for name, hostile in CODE.items():
        (folder / f"{name}.ipynb").write_bytes(answered(ndvi=hostile.source))
    for name, hostile in SEALED.items():
        (folder / f"{name}.ipynb").write_bytes(answered(ndvi=hostile.source.format(**facts)))
    for name, (make, _) in FILES.items():
        (folder / f"{name}.ipynb").write_bytes(make())
    for name, change in ODD.items():
        (folder / f"{name}.ipynb").write_bytes(_edited(change))
    os.symlink(str(facts["key"]), folder / "link.ipynb")
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "=HYPERLINK(1)").mkdir()
    (folder / "=HYPERLINK(1)" / "<b>x<b>.ipynb").write_bytes(answered())
    (folder / "honest.ipynb").write_bytes(answered())
