"""The namespace: what can be seen inside, and what is said where there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rsedu
from rsedu.grade.sandbox import bubblewrap

_needs = pytest.mark.skipif(bool(bubblewrap.missing()), reason=bubblewrap.missing())


def _inside(script: str, **more: object) -> str:
    command = bubblewrap.wrap([sys.executable, "-c", script], **more)  # type: ignore[arg-type]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@_needs
def test_inside_are_python_and_the_kit_and_nothing_can_be_written() -> None:
    script = """
import os, sys, numpy
def writes(path):
    try:
        open(path, "w").close()
        return True
    except OSError:
        return False
package = PACKAGE
print(os.path.exists(package), writes(package + "/x"), writes("/usr/x"), writes("/dev/x"),
      writes("/tmp/x"), *sorted(os.listdir("/tmp")))
"""
    found = _inside(script.replace("PACKAGE", repr(str(Path(rsedu.__file__).parent))))
    package, *_ = Path(rsedu.__file__).resolve().parents
    python = Path(sys.prefix).resolve()
    # A checkout or a Python below /tmp is bound there; nothing else of it is.
    below = {each.parts[2] for each in (package, python) if each.is_relative_to("/tmp")}
    assert found == " ".join(["True False False False True", *sorted({"x", *below})])


@_needs
def test_the_checkout_the_home_and_other_processes_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    repository = Path(rsedu.__file__).resolve().parent.parent
    script = f"""
import os
print(os.path.exists({str(tmp_path)!r}), os.path.exists({str(repository / "solutions")!r}),
      os.path.exists("/etc/passwd"), sorted(each for each in os.listdir("/proc") if each.isdigit()))
"""
    assert _inside(script) in {
        f"False False False {pids}" for pids in (["1", "2"], ["1", "2", "3"])
    }


@_needs
def test_there_is_no_network() -> None:
    script = (
        "import os; print(sorted(os.listdir('/sys/class/net')) if os.path.exists('/sys') else [])"
    )
    assert _inside(script) == "[]"
    script = "import socket; print([name for _, name in socket.if_nameindex()])"
    assert _inside(script) == "['lo']"


@_needs
def test_a_key_within_the_kits_own_folder_is_covered() -> None:
    lessons = Path(rsedu.__file__).parent / "lessons"
    script = f"import os; print(os.listdir({str(lessons)!r}))"
    assert "sentinels" in _inside(script)
    assert _inside(script, hidden=[lessons]) == "[]"


@pytest.fixture
def anew() -> None:
    bubblewrap.missing.cache_clear()


def test_a_missing_bubblewrap_is_told_with_what_it_means(
    anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    said = bubblewrap.missing()
    bubblewrap.missing.cache_clear()
    assert said.startswith("bubblewrap is not installed (Debian: apt install bubblewrap).")
    assert "which are no sandbox" in said


def test_a_bubblewrap_that_may_not_is_told_with_its_reason(
    anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/bwrap")
    monkeypatch.setattr(
        bubblewrap, "wrap", lambda command: ["sh", "-c", "echo no userns >&2; exit 1"]
    )
    said = bubblewrap.missing()
    bubblewrap.missing.cache_clear()
    assert said.startswith("bubblewrap cannot make a namespace here (no userns).")
