"""Program slicing: which statements of a notebook an answer needs.

Those that bind a name it reads, those that these need, and so on.

A lesson takes minutes to run; its answers take milliseconds, and lean on little: an import, a
constant, a function of their own. So only that is run, in the notebook's order. Calls of
`rsedu.check` bind nothing and are never reached, whatever somebody wrote into them.
"""

import ast
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rsedu.grade.reading.magics import plain

STAR = "*"


@dataclass(frozen=True)
class Cell:
    """One code cell.

    Attributes:
        id: of the cell, for the learner's traceback.
        source: as it is stored, magics and all.
    """

    id: str
    source: str


@dataclass(frozen=True)
class Statement:
    """One statement at the left margin of a cell.

    Attributes:
        cell: number of its cell.
        node: what it is.
        binds: names that it gives a value, or whose value it changes in place.
        needs: names that it, or a function defined in it, reads from the notebook.
        later: whether it reads them only when it is called.
    """

    cell: int
    node: ast.stmt
    binds: frozenset[str]
    needs: frozenset[str]
    later: bool

    def replaces(self, name: str) -> bool:
        """Whether the name's earlier value plays no part in the new one."""
        plain = isinstance(
            self.node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Assign
        )
        return plain and (self.later or name not in self.needs)


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    """Names that functions and classes inside read from the notebook."""
    for child in table.get_children():
        yield from (each.get_name() for each in child.get_symbols() if each.is_global())
        yield from _globals(child)


def _base(node: ast.expr) -> str:
    """The name that stands at the left of `name.x[0].y`; empty where there is none."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _changed(node: ast.stmt) -> Iterator[str]:
    """Names whose value is changed in place: `name[0] = 1`, `name.x = 1`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Subscript | ast.Attribute) and isinstance(each.ctx, ast.Store):
            yield _base(each)


def _changed_by_calls(node: ast.stmt) -> Iterator[str]:
    """Names whose value a call may change: `name.append(1)` on a line of its own, `out=name`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            func = each.value.func
            yield _base(func) if isinstance(func, ast.Attribute) else ""
        if isinstance(each, ast.Call):
            yield from (_base(word.value) for word in each.keywords if word.arg == "out")


def _statement(cell: int, node: ast.stmt) -> Statement:
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    symbols = table.get_symbols()
    binds = {each.get_name() for each in symbols if each.is_assigned() or each.is_imported()}
    binds |= {each.get_name() for each in symbols if each.is_namespace()}
    later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    changed = set() if later else set(_changed(node)) - {""}
    needs = {each.get_name() for each in symbols if each.is_referenced()} | changed
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        binds.add(STAR)
    return Statement(
        cell, node, frozenset(binds | changed), frozenset({*needs, *_globals(table)}), later
    )


def _parts(node: ast.stmt) -> list[ast.stmt]:
    """An import of several names as one import of each: the heavy ones may not be needed."""
    if isinstance(node, ast.Import):
        return [ast.copy_location(ast.Import([alias]), node) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        made = [ast.ImportFrom(node.module, [alias], node.level) for alias in node.names]
        return [ast.copy_location(each, node) for each in made]
    return [node]


def statements(cells: Sequence[Cell]) -> tuple[list[Statement], dict[int, SyntaxError]]:
    """Take cells apart.

    Args:
        cells: in the notebook's order.

    Returns:
        Their statements, and the error of each cell, by its number, that is no Python.
    """
    found: list[Statement] = []
    broken: dict[int, SyntaxError] = {}
    for number, cell in enumerate(cells):
        try:
            body = ast.parse(plain(cell.source)).body
            found += [_statement(number, part) for node in body for part in _parts(node)]
        except SyntaxError as error:
            broken[number] = error
        except (ValueError, RecursionError, MemoryError) as error:
            broken[number] = SyntaxError(f"this cell cannot be read ({type(error).__name__})")
    return _with_calls(found), broken


def _with_calls(found: list[Statement]) -> list[Statement]:
    """Let calls change what the notebook made itself; `np.show()` changes no import."""
    imports = ast.Import | ast.ImportFrom
    made = {name for each in found if not isinstance(each.node, imports) for name in each.binds}
    result = []
    for each in found:
        changed = frozenset() if each.later else frozenset(_changed_by_calls(each.node)) & made
        result.append(replace(each, binds=each.binds | changed, needs=each.needs | changed))
    return result


def _is_checkpoint(statement: Statement, name: str) -> bool:
    """Whether it is `name = rsedu.checkpoint(...)`, which may hand over the kit's own answer."""
    value = getattr(statement.node, "value", None)
    return (
        statement.binds == {name}
        and isinstance(value, ast.Call)
        and ast.unparse(value.func).split(".")[-1] == "checkpoint"
    )


def slice_for(all_: Sequence[Statement], name: str, cell: int) -> list[Statement]:
    """Choose what has to run before a name can be judged.

    Args:
        all_: statements of the notebook.
        name: what is looked for.
        cell: number of the cell where it should stand; later cells count where no earlier has it.

    Returns:
        Statements in the notebook's order; none where nothing binds the name.
    """
    usable = [each for each in all_ if not _is_checkpoint(each, name)]
    end = sum(each.cell <= cell for each in usable)
    chosen: set[int] = set()
    wanted = [(name, end)]
    done: set[tuple[str, int]] = set()
    while wanted:
        request = wanted.pop()
        if request in done:
            continue
        done.add(request)
        for place in _binding(usable, *request):
            if place not in chosen:
                chosen.add(place)
                statement = usable[place]
                # A function reads the notebook when it is called: from the answer's cell.
                before = end if statement.later else place
                wanted += [(each, before) for each in sorted(statement.needs)]
    return [usable[place] for place in sorted(chosen)]


def _binding(usable: Sequence[Statement], name: str, before: int) -> list[int]:
    """Where a name gets the value that it has at a place, looking backwards, else forwards."""
    found = []
    for place in range(before - 1, -1, -1):
        if name in usable[place].binds:
            found.append(place)
            if usable[place].replaces(name):
                return found
    if found:
        return found
    later = [place for place in range(before, len(usable)) if name in usable[place].binds]
    return later[:1] or [place for place in range(before) if STAR in usable[place].binds]
