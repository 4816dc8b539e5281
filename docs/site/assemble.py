"""Gather what the site is made of: pages, solved lessons, results, an entry for each module.

Nothing is executed and nothing is fetched: lessons come with the outputs that are stored in them.
"""

import re
import shutil
import sys
from pathlib import Path

import nbformat
import tables  # type: ignore[import-not-found]  # beside this file

from rsedu.course import results

REPOSITORY = Path(__file__).resolve().parents[2]
_AUTO = "## {0}\n\n```{{eval-rst}}\n.. automodule:: {0}\n   :members:\n```"
_TREE = "```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def _tree(caption: str, entries: list[str]) -> str:
    return _TREE.format(caption=caption, entries="\n".join(entries))


def _alt(cell: nbformat.NotebookNode) -> str:
    """What the figures of a cell show, in words."""
    pictures = (each.get("metadata", {}).get("image/png", {}) for each in cell.get("outputs", []))
    return " ".join(filter(None, (about.get("alt", "") for about in pictures)))


def lessons(target: Path) -> list[str]:
    """Copy the solved lessons; the texts under their figures become the figures' own.

    Args:
        target: folder to write into.

    Returns:
        Entries for the table of contents.
    """
    target.mkdir(parents=True)
    names = []
    for path in sorted((REPOSITORY / "solutions").glob("[0-9][0-9]*_*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [c for c in notebook.cells if "colab" not in c.metadata.get("tags", [])]
        for cell in notebook.cells:
            if _alt(cell):
                cell.metadata["mystnb"] = {"image": {"alt": _alt(cell)}}
        nbformat.write(notebook, target / path.name)
        title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        names.append(f"{path.stem.partition('_')[0]}: {title} <lessons/{path.stem}>")
    return names


def _linked(text: str, pages: dict[str, str]) -> str:
    """A plan's text, in which a cell that names a lesson or a result leads to its page."""
    for name, page in pages.items():
        text = re.sub(rf"(?<=\| )`?{name}`?(?= \|)", f"[{name}]({page})", text)
    return text


def plans(target: Path) -> list[str]:
    """Write the pages of docs/, their tables linked to lessons and results that are there."""
    pages = {
        path.stem.partition("_")[0]: f"lessons/{path.name}"
        for path in (target / "lessons").glob("*_*")
    }
    pages |= {path.stem: f"results/{path.stem}.md" for path in results.folder().glob("*.json")}
    for path in (REPOSITORY / "docs").glob("*.md"):
        text = path.read_text("utf-8").replace("](../data/README.md)", "](data.md)")
        (target / path.name).write_text(_linked(text, pages), "utf-8")
    return ["slides", "facilitator", "authoring", "hub"]


def result_pages(target: Path) -> list[str]:
    """Write a page for each file of results, and one that lists them."""
    target.mkdir(parents=True)
    names = sorted(path.stem for path in results.folder().glob("*.json"))
    for name in names:
        (target / f"{name}.md").write_text(tables.page(name, results.stored(name)), "utf-8")
    rows = [f"| [{name}]({name}.md) | `{results.stored(name)['command']}` |" for name in names]
    head = [
        "# Results with their intervals",
        "",
        "Everything that the longer experiments measured.",
    ]
    table = ["", "| Results | Made by |", "|---|---|", *rows, "", _tree("Results", names)]
    (target / "index.md").write_text("\n".join([*head, *table]), "utf-8")
    return ["results/index"]


def _holds_exercises(path: Path) -> bool:
    """Whether a module declares exercises: no interface, and answered in the solved lessons."""
    return re.search(r"^(    |\w+ = )Exercise\(", path.read_text("utf-8"), re.MULTILINE) is not None


def api_pages(target: Path) -> list[str]:
    """Write a page for each package of rsedu, with an entry for each of its modules."""
    target.mkdir(parents=True)
    modules: dict[str, list[str]] = {}
    for path in sorted((REPOSITORY / "rsedu").rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        if not parts[-1].startswith("__") and not _holds_exercises(path):
            modules.setdefault(".".join(parts[:-1]), []).append(".".join(parts))
    for package, names in modules.items():
        text = "\n\n".join([f"# {package}", *map(_AUTO.format, names)])
        (target / f"{package}.md").write_text(text + "\n", "utf-8")
    links = "\n".join(f"- [{package}]({package}.md)" for package in modules)
    text = f"# The code\n\n{links}\n\n{_tree('The code', list(modules))}"
    (target / "index.md").write_text(text, "utf-8")
    return ["api/index"]


def assemble(target: Path) -> None:
    """Write all sources of the site into an empty folder.

    Args:
        target: the folder; what it held before is removed.
    """
    shutil.rmtree(target, ignore_errors=True)
    contents = {"Lessons": lessons(target / "lessons")}
    contents["For instructors"] = plans(target)
    shutil.copy(REPOSITORY / "data" / "README.md", target / "data.md")
    for name in ("conf.py", "style.css"):
        shutil.copy(Path(__file__).with_name(name), target)
    contents["Evidence"] = ["limits", "data", *result_pages(target / "results")]
    contents["Reference"] = api_pages(target / "api")
    trees = "\n".join(_tree(caption, entries) for caption, entries in contents.items())
    index = target / "index.md"
    index.write_text(f"{index.read_text('utf-8')}\n{trees}", "utf-8")


if __name__ == "__main__":
    assemble(Path(sys.argv[1]))
