"""How the environment is made, with stand-ins for Python: nothing is installed here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
TOOLS = ("awk", "bash", "cat", "chmod", "dirname", "grep", "make", "mkdir", "rm", "sh", "touch")

# Answers like a Python of a supported version, makes an environment whose pip is a stand-in too.
PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) exit {supported} ;;
  *ensurepip*) exit {has_venv} ;;
  *--version*) echo "Python 3.12.1" ;;
  *"-m venv"*) for folder; do :; done
    mkdir -p "$folder/bin"; cp_from="$(dirname "$0")/pip-stand-in"
    cat "$cp_from" > "$folder/bin/python"; chmod +x "$folder/bin/python" ;;
esac
"""
PIP = '#!/bin/sh\necho "$*" >> "{log}"\nexit {status}\n'

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not shutil.which("make"), reason="needs make: the README has Windows' lines"
)


class Machine:
    """A PATH that holds a few tools, make, and the stand-ins that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.venv = folder / "venv"
        self.log = folder / "pip.log"
        self.bin.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None, tool
            (self.bin / tool).symlink_to(found)
        self.pip(status=0)

    def _write(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def python(self, name: str, *, supported: bool = True, has_venv: bool = True) -> None:
        answers = {"supported": int(not supported), "has_venv": int(not has_venv)}
        self._write(name, PYTHON.format(**answers))

    def pip(self, *, status: int) -> None:
        self._write("pip-stand-in", PIP.format(log=self.log, status=status))

    def make(self, target: str = ".core", **variables: str) -> subprocess.CompletedProcess[str]:
        given = [f"{name}={value}" for name, value in variables.items()]
        return subprocess.run(
            ["make", f"VENV={self.venv}", f"{self.venv}/{target}", *given],
            cwd=REPOSITORY,
            env={"PATH": str(self.bin), "HOME": str(self.venv)},
            capture_output=True,
            text=True,
        )

    def installs(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_a_python_it_says_which_is_wanted(machine: Machine) -> None:
    result = machine.make()
    assert result.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in result.stderr
    assert not machine.venv.exists()


def test_a_python_that_is_too_old_is_passed_over(machine: Machine) -> None:
    machine.python("python3", supported=False)
    machine.python("python3.12")
    result = machine.make()
    assert result.returncode == 0, result.stderr
    assert "Python 3.12.1 (python3.12)" in result.stdout


def test_the_python_asked_for_goes_first(machine: Machine) -> None:
    machine.python("python3")
    machine.python("my-python")
    assert "(my-python)" in machine.make(PYTHON="my-python").stdout


def test_without_venv_it_gives_the_one_command_that_helps(machine: Machine) -> None:
    machine.python("python3", has_venv=False)
    result = machine.make()
    assert result.returncode != 0
    assert "sudo apt install python3-venv" in result.stderr


def test_with_venv_apt_is_not_mentioned(machine: Machine) -> None:
    machine.python("python3")
    result = machine.make()
    assert "apt install" not in result.stdout + result.stderr


def test_it_installs_the_lock_and_then_the_package_alone(machine: Machine) -> None:
    machine.python("python3")
    machine.make()
    lock, package = machine.installs()
    assert lock.endswith(f"install --requirement {machine.venv}/core.txt")
    assert package.endswith("--no-deps --editable .")
    lines = (machine.venv / "core.txt").read_text()
    assert lines == (REPOSITORY / "requirements.lock").read_text()


def test_the_second_time_nothing_is_installed(machine: Machine) -> None:
    machine.python("python3")
    machine.make()
    before = machine.installs()
    assert machine.make().returncode == 0
    assert machine.installs() == before


def test_a_changed_lock_installs_again(machine: Machine) -> None:
    machine.python("python3")
    machine.make()
    os.utime(machine.venv / ".core", (0, 0))
    result = machine.make()
    assert "bringing" in result.stdout
    assert len(machine.installs()) == 4


def test_a_failed_install_leaves_no_stamp_and_is_taken_up_again(machine: Machine) -> None:
    machine.python("python3")
    machine.pip(status=1)
    assert machine.make().returncode != 0
    assert not (machine.venv / ".core").exists()
    (machine.venv / ".python").unlink()
    machine.pip(status=0)
    assert machine.make().returncode == 0
    assert (machine.venv / ".core").exists()


def test_the_tools_come_on_top_of_the_core(machine: Machine) -> None:
    machine.python("python3")
    assert machine.make(".dev").returncode == 0
    core, _, dev = machine.installs()
    assert core.endswith("core.txt") and dev.endswith("dev.txt")


def test_a_build_of_torch_for_the_cpu_leaves_cuda_out(machine: Machine) -> None:
    machine.python("python3")
    machine.make(TORCH_INDEX="https://example.org/cpu")
    assert "--extra-index-url https://example.org/cpu" in machine.installs()[0]
    kept = (machine.venv / "core.txt").read_text()
    assert "torch==" in kept
    assert not any(line.startswith(("nvidia-", "cuda-", "triton")) for line in kept.splitlines())
