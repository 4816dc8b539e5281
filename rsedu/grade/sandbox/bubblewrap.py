"""bubblewrap: Linux namespaces, a world of its own for each student's process, without root.

Inside there is no network, no other process, no file but Python and rsedu's own package, read-only,
and an empty /tmp in memory. Where bubblewrap is missing or may not make namespaces, `missing` says
so, and nothing here is used.
"""

import shutil
import site
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import rsedu

SCRATCH_MB = 256
_SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/localtime")
NO_SANDBOX = (
    "Submissions run under limits of time, memory, processes and output, which are no sandbox: "
    "hostile code could read, change or delete what you can."
)


def _python() -> list[Path]:
    """Folders that Python and rsedu are read from, and nothing else of the checkout."""
    package = Path(rsedu.__file__).resolve().parent
    data = package.parent / "data"
    folders = [sys.prefix, sys.base_prefix, site.getusersitepackages(), *site.getsitepackages()]
    own = [package, data / "weights", data / "results"]
    real = Path(sys.executable).resolve().parent
    wanted = [*map(Path, folders), *own, real]
    return [folder for folder in dict.fromkeys(wanted) if folder.is_dir()]


def wrap(command: Sequence[str], *, hidden: Sequence[Path] = ()) -> list[str]:
    """Write the command line that runs a command in a world of its own.

    Args:
        command: to run, its first word a path.
        hidden: folders that must not be seen, even where Python's own lie above them.

    Returns:
        Words for `subprocess`. The process ends when its parent does, and all that it started
        with it.
    """
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for path in _SYSTEM:
        words += ["--ro-bind-try", path, path]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for path in ("/tmp", "/dev/shm"):
        words += ["--size", str(SCRATCH_MB * 2**20), "--tmpfs", path]
    # After the empty /tmp, which would cover a checkout that lies below it.
    folders = _python()
    for folder in folders:
        words += ["--ro-bind", str(folder), str(folder)]
    for secret in dict.fromkeys(each.resolve() for each in hidden):
        # What is bound nowhere is not there; hiding it would only make its name.
        if secret.is_dir() and any(secret.is_relative_to(folder) for folder in folders):
            words += ["--tmpfs", str(secret)]
    return [*words, "--remount-ro", "/dev", "--chdir", "/tmp", "--", *command]


@cache
def missing() -> str:
    """Say why there are no namespaces here; empty where there are.

    Returns:
        One sentence that says what is not there and what to do, and one that says what it means.
    """
    if sys.platform != "linux":
        return f"There is no bubblewrap on {sys.platform}. {NO_SANDBOX}"
    if shutil.which("bwrap") is None:
        return f"bubblewrap is not installed (Debian: apt install bubblewrap). {NO_SANDBOX}"
    trial = wrap([sys.executable, "-c", "pass"])
    done = subprocess.run(trial, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"bubblewrap cannot make a namespace here ({said}). {NO_SANDBOX}"
    return ""
