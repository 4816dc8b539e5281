"""One source of versions: pyproject.toml, the two locks, conda, make and CI agree."""

import ast
import os
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from rsedu.course.registry import lessons, starters

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(line) for line in lines]
    for name, lines in PROJECT["optional-dependencies"].items()
}
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("linux", "darwin", "win32")

# Where the name that is imported is not the name that is installed.
IMPORTED_AS = {
    "bigearthnet-common": "bigearthnet_common",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "segment-anything": "segment_anything",
}
# Needed, and imported nowhere in rsedu: each with its reason.
NOT_IMPORTED = {
    "bigearthnet-common": "only its data files are read",
    "spyndex": "only its data files are read",
    "ipykernel": "runs the notebooks",
    "jupyterlab": "make lab opens it",
    "nbval": "a pytest plugin that runs the lessons",
    "torchvision": "segment-anything imports it, and does not declare it",
}
# Brought by a declared distribution, of which it is a part or a fixed companion.
COMPANIONS = {
    "PIL": "matplotlib",
    "IPython": "ipykernel",
    "traitlets": "ipywidgets",
    "pystac": "pystac-client",
}


def _lock(name: str) -> dict[str, Requirement]:
    lines = (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in pins}


CORE = _lock("requirements.lock")
DEV = _lock("requirements-dev.lock")


def _version(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == "==", f"{pin} is no exact pin"
    return specifier.version


def _environment(python: str, platform: str) -> dict[str, str]:
    names = {"linux": ("posix", "Linux"), "darwin": ("posix", "Darwin"), "win32": ("nt", "Windows")}
    os_name, system = names[platform]
    return {
        **{key: str(value) for key, value in default_environment().items()},
        **{"python_version": python, "python_full_version": f"{python}.0", "os_name": os_name},
        **{"sys_platform": platform, "platform_system": system},
    }


def _applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


@pytest.mark.parametrize("lock", [CORE, DEV], ids=["core", "dev"])
def test_a_lock_holds_exact_versions_only(lock: dict[str, Requirement]) -> None:
    assert all(re.fullmatch(r"[\w.]+", _version(pin)) for pin in lock.values())


@pytest.mark.parametrize("stolen", ["2.6.2", "2.6.3"])
def test_no_range_admits_the_releases_of_lightning_that_stole_credentials(stolen: str) -> None:
    ranges = [requirement for group in (DECLARED, *EXTRAS.values()) for requirement in group]
    admitting = [r for r in ranges if r.name in ("lightning", "pytorch-lightning")]
    assert admitting, "torchgeo still brings it"
    assert not any(requirement.specifier.contains(stolen) for requirement in admitting)
    assert "lightning" not in CORE and _version(DEV["lightning"]) != stolen


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_range_holds_the_pin_on_every_python(python: str, platform: str) -> None:
    environment = _environment(python, platform)
    for wanted, lock in ((DECLARED, CORE), ([*EXTRAS["dev"], *EXTRAS["parity"]], DEV)):
        for requirement in wanted:
            pin = lock.get(canonicalize_name(requirement.name))
            assert pin is not None, f"{requirement.name} is in no lock: make lock"
            assert _applies(pin, environment), f"{pin} leaves out Python {python} on {platform}"
            assert requirement.specifier.contains(_version(pin)), f"{requirement} against {pin}"


def test_the_range_of_pythons_is_the_one_that_is_promised() -> None:
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert [f"3.{minor}" for minor in range(9, 16) if f"3.{minor}" in allowed] == list(PYTHONS)
    named = {line.rsplit(" ", 1)[-1] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    assert named == set(PYTHONS)


def test_the_core_lock_is_a_part_of_the_dev_lock() -> None:
    assert {str(pin) for pin in CORE.values()} <= {str(pin) for pin in DEV.values()}


def test_conda_installs_the_same_lock() -> None:
    conda = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [line["pip"] for line in conda["dependencies"] if isinstance(line, dict)]
    assert pip == ["--requirement requirements.lock", "--editable ."]
    (python,) = [line for line in conda["dependencies"] if str(line).startswith("python ")]
    assert SpecifierSet(python.removeprefix("python ")) == SpecifierSet(PROJECT["requires-python"])
    assert len(conda["dependencies"]) == 3, "a package from conda would escape the lock"


def test_make_and_ci_use_the_locks_and_no_other_list() -> None:
    make = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert "requirements.lock" in make and "requirements-dev.lock" in make
    run = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install" not in run
    targets = re.findall(r"^make (\w+)$", run, flags=re.MULTILINE)
    assert targets == ["lint", "types", "test"], "pytest's closing line comes last"


def test_ci_can_be_started() -> None:
    assert os.name == "nt" or os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def _imports() -> set[str]:
    """Top-level names that the package and the lessons import, lazily or not."""
    sources = [*(REPOSITORY / "rsedu").rglob("*.py"), *(REPOSITORY / "solutions").glob("*.py")]
    names: set[str] = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"rsedu"}


def _import_name(requirement: Requirement) -> str:
    return IMPORTED_AS.get(requirement.name, requirement.name.replace("-", "_"))


def test_everything_imported_is_declared() -> None:
    # What an extra brings is imported where it is asked for, with a message where it is missing.
    declared = {_import_name(requirement) for requirement in [*DECLARED, *EXTRAS["cluster"]]}
    assert _imports() - {"google"} <= declared | set(COMPANIONS)
    assert set(COMPANIONS.values()) <= {requirement.name for requirement in DECLARED}


def test_everything_declared_is_imported_or_has_its_reason() -> None:
    unused = {req.name for req in DECLARED if _import_name(req) not in _imports()}
    assert unused == set(NOT_IMPORTED), "drop it, or give the reason here"


def test_what_only_lends_its_data_is_never_imported() -> None:
    lenders = {name for name, reason in NOT_IMPORTED.items() if "data files" in reason}
    assert not {IMPORTED_AS.get(name, name) for name in lenders} & _imports()


def test_the_installed_versions_are_the_pins() -> None:
    """True in the environment that make test builds; elsewhere it says which differ."""
    if Path(sys.prefix) != REPOSITORY / ".venv" and not os.environ.get("CI"):
        pytest.skip("not the environment of make test")
    environment = {key: str(value) for key, value in default_environment().items()}
    differing = {}
    for name, pin in DEV.items():
        if _applies(pin, environment):
            installed = metadata.version(name).split("+")[0]  # torch adds its build after a plus
            if installed != _version(pin):
                differing[name] = (installed, _version(pin))
    assert not differing


def test_the_readme_lists_every_lesson_with_its_minutes() -> None:
    rows = {}
    for line in (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and re.fullmatch(r"\d\d[a-z]?", cells[0]):
            rows[cells[0]] = (cells[1], cells[2])
    assert list(rows) == [lesson.number for lesson in (*lessons(), *starters())]
    for lesson in (*lessons(), *starters()):
        title, minutes = rows[lesson.number]
        assert minutes == (str(lesson.minutes) if lesson.minutes else "planned")
        assert (f"(notebooks/{lesson.stem}.ipynb)" in title) == bool(lesson.minutes)
