"""A class on one server: everybody in the room logs in with the room's password.

Read docs/hub.md first. Whoever has the password can log in under any name, and every server runs
as the one user who started the hub: for a room of people who know each other, not for the internet.

    RSEDU_HUB_PASSWORD=... jupyterhub --config hub/jupyterhub_config.py
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

KIT = Path(os.environ.get("RSEDU_KIT", Path(__file__).resolve().parents[1]))
STUDENTS = Path(os.environ.get("RSEDU_STUDENTS", "students")).resolve()
PASSWORD = os.environ.get("RSEDU_HUB_PASSWORD", "")
MIN_LETTERS = 8  # what the hub itself asks for
IDLE_S = 3600

if len(PASSWORD) < MIN_LETTERS:
    sys.exit(
        f"RSEDU_HUB_PASSWORD has {len(PASSWORD)} letters: set it to {MIN_LETTERS} or more, which "
        "the room will log in with."
    )


def prepare(spawner: Any) -> None:
    """Give a student a folder with the notebooks; what is there already is theirs and stays.

    Weights, samples and the package itself are not copied: all read the kit's own.
    """
    home = STUDENTS / spawner.user.name / "notebooks"
    home.mkdir(parents=True, exist_ok=True)
    for notebook in sorted((KIT / "notebooks").glob("*.ipynb")):
        if not (home / notebook.name).exists():
            shutil.copy(notebook, home)


c = get_config()  # the hub puts it here
c.JupyterHub.bind_url = os.environ.get("RSEDU_HUB_URL", "http://127.0.0.1:8000")
c.JupyterHub.authenticator_class = "shared-password"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.concurrent_spawn_limit = 40  # a whole room arrives in the same minute
c.SharedPasswordAuthenticator.user_password = PASSWORD
c.SharedPasswordAuthenticator.admin_password = os.environ.get("RSEDU_HUB_ADMIN_PASSWORD") or None
c.Authenticator.allow_all = True
c.Authenticator.admin_users = set(filter(None, os.environ.get("RSEDU_HUB_ADMINS", "").split(",")))
c.Authenticator.username_pattern = (
    r"[a-z][a-z0-9_-]*\Z"  # names folders: no dots, no slashes, no line break at the end
)

c.SimpleLocalProcessSpawner.home_dir_template = f"{STUDENTS}/{{username}}"
c.Spawner.cmd = [str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.pre_spawn_hook = prepare
# Twenty servers that start at once share a few cores: each takes its time.
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
c.Spawner.args = [
    f"--ServerApp.shutdown_no_activity_timeout={IDLE_S}",
    f"--MappingKernelManager.cull_idle_timeout={IDLE_S}",
    *os.environ.get("RSEDU_HUB_ARGS", "").split(),  # such as --allow-root, in a container only
]
c.Spawner.environment = {
    "RSEDU_WEIGHTS": str(KIT / "data" / "weights"),
    "RSEDU_DEVICE": "cpu",
    # One thread each: twenty kernels with as many threads as cores would wait for one another.
    "OMP_NUM_THREADS": "1",
    # Threads that wait are to sleep, not to spin.
    "OMP_WAIT_POLICY": "PASSIVE",
}
