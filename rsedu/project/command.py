"""The commands `rsedu score`, `rsedu board` and `rsedu report`."""

import codecs
import json
from collections.abc import Callable
from pathlib import Path

import click

from rsedu.errors import InputError
from rsedu.evaluation.area import ALLOCATIONS
from rsedu.project import change_map, figure, scoreboard
from rsedu.project.place import Place, known
from rsedu.project.score import SAMPLE, facts, render, score as score_map

_PATH = click.Path(path_type=Path)
_HELP = {"help_option_names": ["-h", "--help"]}


def _of_a_place(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which place a map shows."""
    for option in (
        click.option("--period", type=float, nargs=2, help="Decimal years. [2020.5 2025.5]"),
        click.option("--size-m", type=float, help="Side of the place in metres.  [20000]"),
        click.option("--place", "seed", type=int, help="Seed of the place, if the file lacks it."),
    ):
        command = option(command)
    return command


@click.command(context_settings=_HELP)
@click.argument("map_file", metavar="MAP.tif", type=_PATH)
@_of_a_place
@click.option("--sample", default=SAMPLE, show_default=True, help="Pixels to look up.")
@click.option("--allocation", type=click.Choice(ALLOCATIONS), default="at_least", show_default=True)
@click.option("--seed", "draw_seed", type=click.IntRange(0), default=0, help="Of the sample.  [0]")
@click.option("--figure", "picture", type=_PATH, help="PNG to write.")
@click.option("--group", help="Name of your group, for the scoreboard.")
@click.option("--board", type=_PATH, help="Folder of the scoreboard.")
@click.option("--json", "as_json", is_flag=True, help="Print the score as JSON.")
def score(
    map_file: Path,
    seed: int | None,
    size_m: float | None,
    period: tuple[float, float] | None,
    sample: int,
    allocation: str,
    draw_seed: int,
    picture: Path | None,
    group: str | None,
    board: Path | None,
    as_json: bool,
) -> None:
    """Score a change map of a synthetic place against its truth.

    MAP.tif has one band on the place's pixels: the year in which forest was lost, 0 where it was
    not. Floats are decimal years, integers are calendar years.
    """
    if (group is None) != (board is None):
        raise InputError("--group and --board go together: give both, or none.")
    if group is not None:
        scoreboard.clean(group)
    if picture is not None:
        figure.check_name(picture)
    place = _place(map_file, seed, size_m, period)
    mapped, true = change_map.read(map_file, place), place.truth()
    scored = score_map(
        mapped, true, gsd_m=place.gsd_m, sample=sample, how=allocation, seed=draw_seed
    )
    values = facts(scored, place)
    click.echo(json.dumps(values, indent=2) if as_json else render(scored, place))
    remark = change_map.remark(mapped)
    if remark:
        click.echo(remark, err=True)
    if picture is not None:
        summary = figure.draw(mapped, true, place, scored)
        figure.save(picture)
        click.echo(f"Figure {picture}: {summary}", err=as_json)
    if group is not None and board is not None:
        written = scoreboard.submit(board, scoreboard.entry(group, values))
        click.echo(f"Submitted: {written}", err=as_json)


def _place(
    path: Path, seed: int | None, size_m: float | None, period: tuple[float, float] | None
) -> Place:
    since, until = period or (None, None)
    options = {"seed": seed, "size_m": size_m, "since": since, "until": until}
    return known(Place.facts(change_map.tags(path)), options)


@click.command(context_settings=_HELP)
@click.argument("folder", type=_PATH)
@click.option("--newest", is_flag=True, help="Count each group's last map, not its best.")
def board(folder: Path, newest: bool) -> None:
    """Print the ranking of a scoreboard: each group's best map of each place, by F1 of change.

    Equal F1 shares a rank. Files that cannot be read are named below.
    """
    click.echo(scoreboard.render(scoreboard.read(folder), pick="newest" if newest else "best"))


def _text(path: Path | None) -> str:
    """A group's text file; nothing where none was named."""
    if path is None:
        return ""
    try:
        utf16 = path.read_bytes()[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # Notepad's
        return path.read_text(encoding="utf-16" if utf16 else "utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no text file that can be read ({error}).") from error


@click.command(context_settings=_HELP)
@click.argument("map_file", metavar="MAP.tif", type=_PATH)
@click.option("--group", required=True, help="Name of your group.")
@click.option("--track", default="", help='How you went on, such as "B, CROMA through clouds".')
@click.option("--method", type=_PATH, help="Text file: what you did.")
@click.option("--limits", type=_PATH, help="Text file: what it is not for.")
@click.option("--out", type=_PATH, default="report.html", help="HTML file to write. [report.html]")
@_of_a_place
def report(
    map_file: Path,
    group: str,
    track: str,
    method: Path | None,
    limits: Path | None,
    out: Path,
    seed: int | None,
    size_m: float | None,
    period: tuple[float, float] | None,
) -> None:
    """Write a group's one-page report on a change map.

    Numbers and figures fill themselves; what you did and what it is not for you write in two text
    files. Open the page in a browser: it prints on one sheet, or saves as PDF.
    """
    from rsedu.project.report import Report, check_name, remarks  # loads what draws

    check_name(out)
    did, not_for = _text(method), _text(limits)
    place = _place(map_file, seed, size_m, period)
    mapped = change_map.read(map_file, place)
    page = Report(group=group, place=place, mapped=mapped, track=track, method=did, limits=not_for)
    click.echo(f"Report: {page.write(out)} (to print it or save it as PDF, open it in a browser)")
    for remark in remarks(page):
        click.echo(remark, err=True)
