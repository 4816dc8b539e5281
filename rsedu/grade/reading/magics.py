"""IPython magics: blanked, so that a cell is Python and its lines keep their number."""

import ast
import re
from collections.abc import Iterator

# Cell magics whose body is Python that runs in the notebook.
_AROUND_PYTHON = ("time", "timeit", "capture", "prun")
_CELL_MAGIC = re.compile(r"%%(\w+)")
_HELP = re.compile(r"[%\w.*\[\]]+ ?\?{1,2}\s*(#.*)?")
_ASSIGNED = re.compile(r"[^=#'\"(]*=\s*[%!]")
_TOKEN = re.compile(
    r"""\#.*|\"{3}|'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[(\[{]|[)\]}]|\\$""",
)


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    except (ValueError, RecursionError, MemoryError):
        return True  # no magic is to blame: whoever parses it next will say what is wrong
    return True


def _is_magic(bare: str) -> bool:
    """Whether a line, at the start of a statement, is for IPython."""
    return (
        bare.startswith(("%", "!", "?", ",", ";", "/"))
        or _HELP.fullmatch(bare) is not None
        or _ASSIGNED.match(bare) is not None
    )


class _Reader:
    """Knows, line by line, whether the next line starts a statement."""

    def __init__(self) -> None:
        self.depth = 0
        self.quotes = ""
        self.continued = False

    @property
    def at_start(self) -> bool:
        return not (self.depth or self.quotes or self.continued)

    def read(self, line: str) -> None:
        """Take in one line of Python."""
        self.continued = False
        place = 0
        while place < len(line):
            if self.quotes:
                end = line.find(self.quotes, place)
                if end < 0:
                    return
                place, self.quotes = end + 3, ""
                continue
            found = _TOKEN.search(line, place)
            if found is None:
                return
            place = found.end()
            self._token(found.group())

    def _token(self, text: str) -> None:
        if text in ('"""', "'''"):
            self.quotes = text
        elif text == "\\":
            self.continued = True
        elif text in "([{":
            self.depth += 1
        elif text in ")]}":
            self.depth = max(0, self.depth - 1)


def _rewritten(lines: list[str]) -> Iterator[str]:
    reader = _Reader()
    in_magic = False  # a magic that goes on after a backslash
    for line in lines:
        bare = line.lstrip()
        if in_magic:
            yield ""
        elif reader.at_start and _is_magic(bare):
            yield f"{line[: len(line) - len(bare)]}pass"
        else:
            reader.read(line)
            yield line
            continue
        in_magic = line.endswith("\\")


def plain(source: str) -> str:
    """A cell's source as Python.

    Args:
        source: of a cell. What is Python as it stands stays so.

    Returns:
        Python with as many lines: a magic, a command of the shell or a question for help is `pass`;
        the line of `%%time` and its kin is blank; a cell of another language is empty.
    """
    if _is_python(source):
        return source
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines):
        found = _CELL_MAGIC.match(line)
        if found is None:
            if line.strip():
                break
        elif found.group(1) in _AROUND_PYTHON:
            lines[number] = ""
        else:
            return ""
    return "\n".join(_rewritten(lines))
