"""Running elsewhere: badges, and the first cell, which installs the kit on Colab."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rsedu.errors import InputError

# Plain Python, since it runs where nothing of the kit is installed. numpy, torch and pandas are
# never named: forcing one of them is what breaks a Colab session.
_BOOTSTRAP = """\
# On Colab this cell installs rsedu; on your own machine it does nothing.
import sys

if "google.colab" in sys.modules:
    import subprocess
    from glob import glob
    from importlib.metadata import version

    source = {source}
    if not source:
        print("There is no rsedu here: upload rsedu-*.whl (folder icon), then run this cell again.")
    elif subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source]).returncode:
        print("rsedu was not installed: read what pip says above, then run this cell again.")
    else:
        loaded = [name for name in ("rsedu", "numpy") if name in sys.modules]
        if any(sys.modules[name].__version__ != version(name) for name in loaded):
            print("Installed, but an older one is loaded: Runtime > Restart session, then go on.")
"""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the kit is published.

    Attributes:
        repository: address on GitHub, such as "https://github.com/owner/name"; empty while there
            is none.
        tag: of the release that Colab and Binder take.
    """

    repository: str = ""
    tag: str = ""

    def __post_init__(self) -> None:
        if bool(self.repository) != bool(self.tag):
            raise InputError(
                f"[tool.rsedu] has repository={self.repository!r} and tag={self.tag!r}: give both, "
                "or neither while the kit has no public address."
            )
        if self.repository and not self.repository.startswith("https://github.com/"):
            raise InputError(
                f"repository={self.repository!r} in [tool.rsedu]: Colab and Binder open "
                "https://github.com/OWNER/NAME only."
            )

    @property
    def slug(self) -> str:
        """Owner and name."""
        return self.repository.removeprefix("https://github.com/").strip("/").removesuffix(".git")


def address(root: Path) -> Address:
    """Read where the kit is published, from the one place that says so.

    Args:
        root: folder of pyproject.toml; its table [tool.rsedu] holds `repository` and `tag`.

    Raises:
        InputError: only one of the two is given, or it is not an address on GitHub.
    """
    project = root / "pyproject.toml"
    if not project.is_file():
        return Address()
    table = tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {}).get("rsedu", {})
    return Address(repository=table.get("repository", ""), tag=table.get("tag", ""))


def bootstrap(published: Address) -> str:
    """Write the code of a notebook's first cell.

    Args:
        published: where to install from; without it, from a wheel in the working folder.
    """
    wheel = '(sorted(glob("rsedu-*.whl")) or [""])[-1]'
    archive = f'"git+{published.repository.rstrip("/")}@{published.tag}"'
    return _BOOTSTRAP.format(source=archive if published.repository else wheel).rstrip()


def badges(published: Address, notebook: str) -> str:
    """Write the links that open a notebook on Colab and Binder.

    Args:
        published: where the kit is; without an address there are no badges.
        notebook: path in the repository.

    Returns:
        One line of markdown, empty without an address.
    """
    if not published.repository:
        return ""
    colab = "https://colab.research.google.com"
    where = f"{colab}/github/{published.slug}/blob/{published.tag}/{notebook}"
    binder = f"https://mybinder.org/v2/gh/{published.slug}/{published.tag}"
    there = f"{binder}?labpath={quote(notebook, safe='')}"
    return (
        f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({where}) "
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({there})"
    )
