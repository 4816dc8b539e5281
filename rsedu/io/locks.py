"""One process at a time: a lock beside a file, which ends with the process that holds it."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_PAUSE_S = 0.1  # between two looks at a lock that another holds


@contextmanager
def locked(path: Path, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold a lock as long as the block runs; threads of one process exclude each other, too.

    Where the file system or the system knows no locks, the block runs without one. The lock's file
    is removed at the end; after a crash it may stay, and holds nobody up.

    Args:
        path: of the lock's file, beside what it guards; its folder is there.
        waiting: called once, if another holds the lock.

    Raises:
        OSError: the file cannot be made.
    """
    file = _taken(path, waiting)
    try:
        yield
    finally:
        if sys.platform == "win32":  # no open file can be removed there, so another's lock stays
            file.close()
            with suppress(OSError):
                path.unlink()
        else:  # still held, so that no other can take it between the two
            with suppress(OSError):
                path.unlink()
            file.close()


def _taken(path: Path, waiting: Callable[[], object]) -> BinaryIO:
    """Wait for the lock; short looks, so that Ctrl-C is heard on every system."""
    said = False
    while True:
        file = path.open("ab")
        try:
            if _lock(file) and _is_still(path, file):
                return file
            if not said:
                said = True
                waiting()
            file.close()
            time.sleep(_PAUSE_S)
        except BaseException:
            file.close()
            raise


def _is_still(path: Path, file: BinaryIO) -> bool:
    """Whether the locked file still has its name: who held it before may have removed it."""
    if sys.platform == "win32":
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _lock(file: BinaryIO) -> bool:
        try:
            import fcntl  # not in a browser's Python

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except (ImportError, OSError):  # no locks here, as on some network drives
            return True
        return True
