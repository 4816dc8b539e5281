"""The first cell, run where nothing of the kit is installed; and the badges."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from authoring.colab import Address, address, badges, bootstrap
from rsedu.errors import InputError

PLACE = Address(repository="https://github.com/someone/rsedu", tag="v1.2.3")
COLAB = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n"


def test_an_address_is_whole_or_not_given(tmp_path: Path) -> None:
    assert address(tmp_path) == Address()
    project = tmp_path / "pyproject.toml"
    project.write_text("[project]\nname = 'x'\n")
    assert address(tmp_path) == Address()
    project.write_text("[tool.rsedu]\nrepository = 'https://github.com/a/b.git'\ntag = 'v1'\n")
    assert address(tmp_path).slug == "a/b"
    project.write_text("[tool.rsedu]\nrepository = 'https://github.com/a/b'\n")
    with pytest.raises(InputError, match="give both"):
        address(tmp_path)
    with pytest.raises(InputError, match="OWNER/NAME"):
        Address(repository="https://example.org/a/b", tag="v1")


def test_badges_have_alternative_texts_and_quote_the_path() -> None:
    line = badges(PLACE, "notebooks/01_x.ipynb")
    assert line.count("[![Open in ") == 2
    assert "?labpath=notebooks%2F01_x.ipynb" in line
    assert badges(Address(), "notebooks/01_x.ipynb") == ""


def test_the_tagged_release_is_installed_where_there_is_an_address() -> None:
    code = bootstrap(PLACE)
    assert 'source = "git+https://github.com/someone/rsedu@v1.2.3"' in code
    assert "numpy==" not in code and "torch" not in code


def test_on_your_own_machine_it_does_nothing() -> None:
    before = set(sys.modules)
    scope: dict[str, object] = {}
    exec(bootstrap(Address()), scope)
    assert set(sys.modules) == before
    assert set(scope) == {"__builtins__", "sys"}


def _wheel(folder: Path, version: str) -> Path:
    """A package called rsedu with a version, and nothing else."""
    path = folder / f"rsedu-{version}-py3-none-any.whl"
    about = f"rsedu-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("rsedu/__init__.py", f"__version__ = {version!r}\n")
        wheel.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: rsedu\nVersion: {version}\n"
        )
        tag = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{about}/WHEEL", tag)
        wheel.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with pip and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def _run(python: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run in the working folder, without any network and without the tests' own packages."""
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PYTHONPATH": ""}
    return subprocess.run(
        [str(python), "-c", program], env=environment, capture_output=True, text=True
    )


def test_colab_in_an_empty_folder_then_with_a_wheel_then_with_a_newer_one(bare: Path) -> None:
    cell = bootstrap(Address())
    empty = _run(bare, COLAB + cell)
    assert (empty.returncode, empty.stderr) == (0, "")
    assert empty.stdout.splitlines() == [
        "There is no rsedu here: upload rsedu-*.whl (folder icon), then run this cell again."
    ]

    old = _wheel(Path.cwd(), "0.1.0")
    installed = _run(bare, f"{COLAB}{cell}\nimport rsedu\nprint(rsedu.__version__)")
    assert (installed.returncode, installed.stdout) == (0, "0.1.0\n"), installed.stderr

    old.unlink()
    _wheel(Path.cwd(), "0.2.0")
    stale = _run(bare, f"import rsedu\n{COLAB}{cell}")
    assert "an older one is loaded: Runtime > Restart session" in stale.stdout
    again = _run(bare, f"{COLAB}{cell}\nimport rsedu\nprint(rsedu.__version__)")
    assert again.stdout == "0.2.0\n"

    next(Path.cwd().glob("*.whl")).write_bytes(b"no wheel")
    broken = _run(bare, COLAB + cell)
    assert broken.returncode == 0
    assert broken.stdout.endswith(
        "rsedu was not installed: read what pip says above, then run this cell again.\n"
    )
