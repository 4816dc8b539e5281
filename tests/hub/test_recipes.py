"""A class on one server, on Kubernetes and on Binder: each recipe by its parts."""

import os
import re
import runpy
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from traitlets.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "hub" / "jupyterhub_config.py"
POST_BUILD = REPOSITORY / ".binder" / "postBuild"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Read the configuration as the hub does."""

    def read(password: str = "long enough", **environment: str) -> tuple[Config, dict[str, Any]]:
        monkeypatch.setenv("RSEDU_HUB_PASSWORD", password)
        monkeypatch.setenv("RSEDU_STUDENTS", str(tmp_path / "students"))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        config = Config()
        names = runpy.run_path(str(CONFIG), init_globals={"get_config": lambda: config})
        return config, names

    return read


def test_students_get_notebooks_once_and_keep_what_they_wrote(hub: Any, tmp_path: Path) -> None:
    config, _ = hub()
    maria = SimpleNamespace(user=SimpleNamespace(name="maria"))
    config.Spawner.pre_spawn_hook(maria)
    home = tmp_path / "students" / "maria" / "notebooks"
    shipped = {path.name for path in (REPOSITORY / "notebooks").glob("*.ipynb")}
    assert {path.name for path in home.iterdir()} == shipped
    first = home / "00_start_here.ipynb"
    first.write_text("my work")
    (home / "01_sentinels.ipynb").unlink()
    config.Spawner.pre_spawn_hook(maria)
    assert first.read_text() == "my work"
    assert {path.name for path in home.iterdir()} == shipped
    assert not list(tmp_path.rglob("*.safetensors"))


def test_weights_are_the_kits_own_and_kernels_take_one_thread(hub: Any, tmp_path: Path) -> None:
    config, _ = hub()
    environment = config.Spawner.environment
    assert list(Path(environment["RSEDU_WEIGHTS"]).glob("*.safetensors"))
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    template = config.SimpleLocalProcessSpawner.home_dir_template
    assert template.format(username="maria") == str(tmp_path / "students" / "maria")


def test_it_listens_on_loopback_unless_told_and_lets_no_admin_in(hub: Any) -> None:
    config, _ = hub()
    assert config.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert config.Authenticator.admin_users == set()
    assert config.SharedPasswordAuthenticator.admin_password is None
    told, _ = hub(
        RSEDU_HUB_URL="http://0.0.0.0:80", RSEDU_HUB_ADMINS="ana,li", RSEDU_HUB_ARGS="--x --y"
    )
    assert told.JupyterHub.bind_url == "http://0.0.0.0:80"
    assert told.Authenticator.admin_users == {"ana", "li"}
    assert told.Spawner.args[-2:] == ["--x", "--y"]


@pytest.mark.parametrize(
    "name", ["maria", "li-2", "..", ".ssh", "a/b", "../x", "", "Maria", "maria\n"]
)
def test_a_name_that_is_let_in_names_a_folder_of_its_own(hub: Any, name: str) -> None:
    config, _ = hub()
    # As the hub asks: what follows the match would be let in too.
    is_let_in = re.match(config.Authenticator.username_pattern, name) is not None
    assert is_let_in == (name in ("maria", "li-2"))


@pytest.mark.parametrize("password", ["", "1234567"])
def test_without_a_password_it_says_what_to_set(hub: Any, password: str) -> None:
    with pytest.raises(SystemExit, match=f"RSEDU_HUB_PASSWORD has {len(password)} letters: set"):
        hub(password)


def test_the_values_for_kubernetes_fit_what_was_measured() -> None:
    values = yaml.safe_load((REPOSITORY / "hub" / "values.yaml").read_text(encoding="utf-8"))
    assert set(values) == {"hub", "singleuser", "cull", "scheduling", "prePuller"}
    memory = values["singleuser"]["memory"]
    assert memory == {"guarantee": "1G", "limit": "2.5G"}
    version = re.search(r'^version = "(.*)"', (REPOSITORY / "pyproject.toml").read_text(), re.M)
    assert version is not None and values["singleuser"]["image"]["tag"] == version[1]
    assert values["hub"]["config"]["DummyAuthenticator"]["password"] == "CHANGE-ME"


def _post_build(folder: Path, *, status: int = 0) -> tuple[int, list[str]]:
    """Run the script with stand-ins for Python and the kit; its status, and what was called."""
    log = folder / "log"
    for name in ("python", "rsedu"):
        program = folder / name
        program.write_text(
            f'#!/bin/sh\necho "{name} $*" >> {log}\n'
            f'for word; do case "$word" in /tmp/*) cp "$word" {folder}/core.txt;; esac; done\n'
            f"exit {status}\n"
        )
        program.chmod(0o755)
    done = subprocess.run(
        [str(POST_BUILD)],
        cwd=REPOSITORY,
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
    )
    return done.returncode, log.read_text().splitlines()


@pytest.mark.skipif(os.name == "nt", reason="a shell script of a Linux image")
def test_binder_installs_the_lock_without_cuda_then_the_kit_then_looks(tmp_path: Path) -> None:
    status, (lock, package, look) = _post_build(tmp_path)
    assert status == 0
    assert "--extra-index-url https://download.pytorch.org/whl/cpu --requirement" in lock
    assert package.endswith("--no-deps --editable .")
    assert look == "rsedu doctor"
    kept = (tmp_path / "core.txt").read_text().splitlines()
    lines = (REPOSITORY / "requirements.lock").read_text().splitlines()
    gone = [line for line in lines if line not in kept]
    assert gone and all(line.startswith(("nvidia-", "cuda-", "triton")) for line in gone)
    assert any(line.startswith("torch==") for line in kept)


@pytest.mark.skipif(os.name == "nt", reason="a shell script of a Linux image")
def test_a_build_that_fails_halfway_fails(tmp_path: Path) -> None:
    status, calls = _post_build(tmp_path, status=3)
    assert (status, len(calls)) == (3, 1)


def test_binder_leaves_out_what_make_leaves_out_and_takes_a_python_of_the_range() -> None:
    make = re.search(r"^ONLY_GPU := (.*)$", (REPOSITORY / "Makefile").read_text(), re.M)
    assert make is not None and make[1] in POST_BUILD.read_text()
    assert (POST_BUILD.parent / "runtime.txt").read_text() == "python-3.11\n"
