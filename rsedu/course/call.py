"""Call a learner's function so that nothing it does gets out."""

import io
import re
import signal
import site
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

_MAX_FRAMES = 3
_MAX_PRINTED = 5
_MAX_LETTERS = 1_000_000
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+\b")
_NOT_THEIRS = tuple(
    str(Path(folder))
    for folder in (
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
        site.getusersitepackages(),
        Path(__file__).resolve().parent.parent,
    )
)


@dataclass(frozen=True)
class Call:
    """What came of a call.

    Attributes:
        result: what was returned.
        not_started: whether NotImplementedError was raised.
        error: lines that tell a learner what was raised and where; empty where nothing was.
        printed: the first lines of what the function printed, announced.
    """

    result: Any = None
    not_started: bool = False
    error: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()


class _TimeIsUp(BaseException):
    """No Exception, so that a learner's `except Exception` lets it through."""


class _TooMuchPrinted(BaseException):
    """No Exception, for the same reason."""


class _Paper(io.StringIO):
    """What is printed, up to a length at which nobody reads it any more."""

    def write(self, text: str) -> int:
        if self.tell() + len(text) > _MAX_LETTERS:
            raise _TooMuchPrinted
        return super().write(text)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Stop what runs too long, where the system can do so: Unix, main thread."""
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def call(function: Callable[..., Any], inputs: tuple[Any, ...], *, limit_s: float) -> Call:
    """Call a function and report, whatever it does.

    Args:
        function: anything that can be called.
        inputs: positional arguments; handed over as they are.
        limit_s: seconds that it may take.

    Returns:
        What came of it. Only a KeyboardInterrupt passes through.
    """
    text = _Paper()
    try:
        with redirect_stdout(text), _time_limit(limit_s):
            result = function(*inputs)
    except KeyboardInterrupt:
        raise
    except NotImplementedError:
        return Call(not_started=True)
    except _TimeIsUp:
        took = f"Your function was stopped after {limit_s:g} seconds."
        return Call(error=(f"{took} Is there a loop that does not end?",))
    except _TooMuchPrinted:
        much = f"Your function was stopped when it had printed {_MAX_LETTERS:,} letters."
        return Call(error=(f"{much} Is there a print in a loop?",))
    except BaseException as error:
        return Call(error=tell(error), printed=_printed(text.getvalue()))
    return Call(result=result, printed=_printed(text.getvalue()))


def _printed(text: str) -> tuple[str, ...]:
    lines = text.splitlines()
    if not lines:
        return ()
    more = [f"    ... and {len(lines) - _MAX_PRINTED} lines more"] if lines[_MAX_PRINTED:] else []
    return ("Your function printed:", *(f"    {line}" for line in lines[:_MAX_PRINTED]), *more)


def _is_theirs(frame: traceback.FrameSummary) -> bool:
    """Whether a frame is the learner's: neither the kit nor a library."""
    cell = "ipykernel_" in frame.filename or "<ipython-input" in frame.filename
    return cell or not frame.filename.startswith((*_NOT_THEIRS, "<frozen"))


def tell(error: BaseException) -> tuple[str, ...]:
    """Shorten a traceback to the learner's own lines.

    Args:
        error: what was raised.

    Returns:
        The error in one line, then each place with its line number and its code.
    """
    said = _ADDRESS.sub("0x...", str(error)).strip().split("\n")[0]
    name = type(error).__name__
    head = f"{name}: {said[:200]}" if said else name
    if isinstance(error, SystemExit):
        head = f"{name}: your function ends the program; let it return instead."
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame)]
    places = []
    for frame in frames[-_MAX_FRAMES:]:
        places += [f"in {frame.name}, line {frame.lineno} of the cell:", f"    {frame.line}"]
    if len(frames) > _MAX_FRAMES:
        places.insert(0, f"through more than {_MAX_FRAMES} calls, of which these are the last:")
    return (head, *places)
