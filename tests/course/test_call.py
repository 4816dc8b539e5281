"""Calling somebody's function, and telling what it raised."""

import sys
import textwrap

import numpy as np
import pytest

from rsedu.course import call


def test_the_result_comes_back() -> None:
    done = call.call(lambda a, b: a - b, (5, 3), limit_s=1)
    assert done == call.Call(result=2)


def test_a_stub_is_no_error() -> None:
    def stub() -> None:
        raise NotImplementedError("later")

    assert call.call(stub, (), limit_s=1) == call.Call(not_started=True)


def _cell(source: str, name: str = "/tmp/ipykernel_41/123.py") -> dict[str, object]:
    """Run a source as a notebook's cell, known to linecache under its file name."""
    import linecache

    source = textwrap.dedent(source)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    scope: dict[str, object] = {}
    exec(compile(source, name, "exec"), scope)
    return scope


def test_a_traceback_is_cut_to_the_cells_own_lines() -> None:
    scope = _cell(
        """
        import numpy as np

        def inner(x):
            return np.linalg.inv(x)

        def outer(x):
            return inner(x)
        """
    )
    done = call.call(scope["outer"], (np.zeros((2, 3)),), limit_s=1)  # type: ignore[arg-type]
    assert done.error == (
        "LinAlgError: Last 2 dimensions of the array must be square",
        "in outer, line 8 of the cell:",
        "    return inner(x)",
        "in inner, line 5 of the cell:",
        "    return np.linalg.inv(x)",
    )


def test_many_calls_are_cut_to_the_last() -> None:
    scope = _cell("def deep(n):\n    if n:\n        return deep(n - 1)\n    return 1 / 0\n")
    done = call.call(scope["deep"], (30,), limit_s=1)  # type: ignore[arg-type]
    assert done.error[:2] == (
        "ZeroDivisionError: division by zero",
        "through more than 3 calls, of which these are the last:",
    )
    assert len(done.error) == 8
    assert done.error[-2:] == ("in deep, line 4 of the cell:", "    return 1 / 0")


def test_addresses_and_long_messages_are_shortened() -> None:
    text = call.tell(ValueError(f"{object()} {'y' * 500}\nsecond line"))[0]
    assert "0x..." in text and len(text) < 230 and "second" not in text
    assert call.tell(KeyError()) == ("KeyError",)


def test_a_hanging_function_is_stopped() -> None:
    def hang() -> None:
        while True:
            pass

    assert (
        call.call(hang, (), limit_s=0.05)
        .error[0]
        .startswith("Your function was stopped after 0.05 seconds.")
    )


def test_a_keyboard_interrupt_is_the_learners() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call.call(interrupted, (), limit_s=1)


def test_what_is_printed_is_kept_and_stdout_restored() -> None:
    stdout = sys.stdout
    done = call.call(print, ("a\nb",), limit_s=1)
    assert done.printed == ("Your function printed:", "    a", "    b")
    assert sys.stdout is stdout


def test_it_works_in_a_thread_where_no_alarm_can_be_set() -> None:
    import threading

    found: list[call.Call] = []
    thread = threading.Thread(target=lambda: found.append(call.call(int, ("7",), limit_s=1)))
    thread.start()
    thread.join()
    assert found[0].result == 7


def test_a_flood_of_prints_is_stopped_and_does_not_fill_the_memory() -> None:
    def floods() -> None:
        try:
            while True:
                print("x" * 999)
        except Exception:
            pass

    done = call.call(floods, (), limit_s=10)
    assert done.error == (
        "Your function was stopped when it had printed 1,000,000 letters. "
        "Is there a print in a loop?",
    )
    assert done.printed == ()
