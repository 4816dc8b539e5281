"""A group's one-page report: it fills itself with numbers, figures and three sentences of theirs.

The report is a notebook: markdown only, its figures attached, so that it can be read and changed
in JupyterLab. `rsedu.project.page` makes a page and a PDF of it.
"""

import base64
import html
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
from jaxtyping import Float32
from nbformat import NotebookNode

from rsedu import __version__, plot
from rsedu.evaluation.area import ALLOCATIONS
from rsedu.project import change_map, figure, yearly
from rsedu.project.place import Place
from rsedu.project.score import LOST, SAMPLE, Score, score
from rsedu.project.scoreboard import clean
from rsedu.project.table import FEW

_TO_WRITE = "*To be written by the group.*"
_LONGEST = 900  # letters of each of the group's texts; more does not fit on one page
_TRACK_LENGTH = 60
_MONTHS = (  # the page is in English, whatever the machine's language
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_FONT: Any = {"font.size": 15, "axes.titlesize": 17}  # figures are shown at half their size


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """What a group hands in.

    Attributes:
        group: its name.
        track: how they went on, such as "B, CROMA through clouds"; may be empty.
        method: what they did, in their words; paragraphs parted by empty lines.
        limits: what they would not use the map for, likewise.
        place: that the map shows.
        mapped: decimal year of the loss, NaN for none.
        sample: pixels looked up.
        how: they were dealt out, see `rsedu.evaluation.area.ALLOCATIONS`.
        seed: of the sample.
        day: of the report.

    Raises:
        InputError: the name has no letter and no digit, or the map cannot be scored.
    """

    group: str
    place: Place
    mapped: Float32[np.ndarray, "rows cols"]
    track: str = ""
    method: str = ""
    limits: str = ""
    sample: int = SAMPLE
    how: str = ALLOCATIONS[-1]
    seed: int = 0
    day: date = field(default_factory=date.today)
    true: Float32[np.ndarray, "rows cols"] = field(init=False)
    score: Score = field(init=False)
    years: tuple[yearly.YearEstimate, ...] = field(init=False)

    def __post_init__(self) -> None:
        clean(self.group)
        true = self.place.truth()
        drawn = {"sample": self.sample, "seed": self.seed}
        found = score(self.mapped, true, gsd_m=self.place.gsd_m, how=self.how, **drawn)
        years = yearly.by_year(self.mapped, true, self.place, how=self.how, **drawn)
        for name, value in (("true", true), ("score", found), ("years", years)):
            object.__setattr__(self, name, value)

    @classmethod
    def of_map(cls, path: Path, place: Place, *, group: str, **words: Any) -> "Report":
        """Report on a change map that was written before.

        Args:
            path: of the GeoTIFF, see `rsedu.project.change_map`.
            place: that it shows.
            group: its name.
            words: any other attribute that can be given, such as track, method and limits.

        Raises:
            MissingDataError: no such file.
            BrokenDataError: unreadable.
            InputError: it is no change map of the place.
        """
        return cls(place=place, mapped=change_map.read(path, place), group=group, **words)


def plain(text: str, *, longest: int = _LONGEST) -> str:
    """Return a group's text as markdown that shows it letter by letter: no markup, no HTML.

    Args:
        text: paragraphs are parted by empty lines; other white space is a space.
        longest: letters that are kept.
    """
    cut = text if len(text) <= longest else f"{text[:longest].rstrip()} ..."
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", cut))
    return "\n\n".join(_escaped(part) for part in paragraphs if part)


def remarks(report: Report) -> list[str]:
    """Say what of the group's words the page cuts off, and what is odd about the map's years."""
    limits = {"track": _TRACK_LENGTH, "method": _LONGEST, "limits": _LONGEST}
    cut = [
        f"The text {name} has {len(text)} letters, and {longest} fit on the page: the rest of it "
        "is left out; shorten it."
        for name, longest in limits.items()
        if len(text := getattr(report, name)) > longest
    ]
    return [*cut, *filter(None, [change_map.remark(report.mapped)])]


def _escaped(paragraph: str) -> str:
    shown = re.sub(r"([\\`*_{}\[\]()#+!|~=-])", r"\\\1", html.escape(paragraph, quote=False))
    shown = re.sub(r"^(\d+)\.(?=\s)", r"\1\\.", shown)  # at the start of a line it would be a list
    return shown.replace("$", "&#36;")


def _png() -> str:
    """The current figure as base64, and closed."""
    png = plot.small_png(plt.gcf())
    plt.close()
    return base64.b64encode(png).decode("ascii")


def _cell(tag: str, text: str, picture: str = "") -> NotebookNode:
    cell: NotebookNode = nbformat.v4.new_markdown_cell(text, id=tag)  # type: ignore[no-untyped-call]
    cell.metadata["tags"] = [tag]
    if picture:
        cell["attachments"] = {f"{tag}.png": {"image/png": picture}}
    return cell


def _written_out(day: date) -> str:
    """7 March 2026; not by strftime, whose letters differ between systems and languages."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _title(report: Report) -> str:
    facts = [f"**{plain(clean(report.group))}**", plain(report.track, longest=_TRACK_LENGTH)]
    facts += [f"SYNTHETIC {report.place}", _written_out(report.day)]
    return "# How much forest was lost, and when?\n\n" + " · ".join(filter(None, facts))


def _numbers(report: Report) -> str:
    """Five numbers, as a table of one row."""
    found = report.score
    low, high = found.interval_ha
    when = "none" if np.isnan(found.date_error_years) else f"{found.date_error_years:.2f} years"
    outline = "none" if np.isnan(found.boundary_bias_m) else f"{found.boundary_bias_m:+z.1f} m"
    columns = {
        "hectares lost, estimated": f"**{found.estimated_ha:.0f} ha**",
        "95 % interval": f"**{low:.0f} to {high:.0f} ha**",
        "F1 of change": f"{found.f1:.3f}",
        "dates beside the truth": when,
        "outlines beside the truth": outline,
    }
    rows = (columns, ["---"] * len(columns), columns.values())
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _maps(report: Report) -> tuple[str, str]:
    """Truth, map and errors: sentence and picture."""
    with plt.rc_context(_FONT):
        summary = figure.draw(report.mapped, report.true, report.place, report.score)
        plt.gcf().suptitle("")  # the page has it above
        plt.gcf().set_size_inches(14.0, 3.7)
        return summary, _png()


def _bars(report: Report) -> tuple[str, str]:
    """Hectares of each year: sentence and picture."""
    with plt.rc_context(_FONT):
        (ax,) = plot.panels(1, 1, title="", size_in=(7.0, 4.6))
        return figure.draw_years(report.years, ax=ax), _png()


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def how_sure(report: Report) -> str:
    """Say in words what was looked up, what was found, and what follows."""
    found = report.score
    (kept, missed), (alarms, right) = found.matrix.tolist()
    low, high = found.interval_ha
    text = (
        f"{kept + missed + alarms + right} pixels were drawn at random and looked up. Of "
        f"{alarms + right} that the map shows as lost, {right} {_were(right)}; of "
        f"{kept + missed} others {missed} {_were(missed)} lost too. So {found.estimated_ha:.0f} "
        f"ha, {low:.0f} to {high:.0f} with 95 % confidence (Olofsson et al. 2014, with Jeffreys' "
        f"intervals). The map's own pixels add up to {found.mapped_ha:.0f} ha, a count without an "
        f"error. The truth, which no real project has, is {found.true_ha:.0f} ha."
    )
    if missed >= FEW:
        return text
    met = "No omission was" if not missed else f"Only {missed} of the omissions {_were(missed)}"
    return text + f" {met} met by the sample: the upper end is what we know least."


def compose(report: Report) -> NotebookNode:
    """Write the report as a notebook.

    Returns:
        Markdown cells, each with one tag: title, numbers, where, when, method, sure, limits, foot.
    """
    maps, where = _maps(report)
    bars, when = _bars(report)
    estimate = report.score.estimate
    user, producer = (float(each[LOST]) for each in (estimate.user, estimate.producer))
    foot = (
        f"Scored by rsedu {__version__} with {report.sample} pixels, allocation {report.how}, seed "
        f"{report.seed}. User's accuracy of loss {user:.2f}, producer's {producer:.2f}. The place "
        "is synthetic: nothing here is a fact about a real forest."
    )
    notebook: NotebookNode = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    notebook.metadata["title"] = f"Forest loss: {clean(report.group)}"
    notebook.cells = [
        _cell("title", _title(report)),
        _cell("numbers", _numbers(report)),
        _cell("where", f"## Where\n\n![{maps}](attachment:where.png)\n\n{maps}", where),
        _cell("when", f"## When\n\n![{bars}](attachment:when.png)\n\n{bars}", when),
        _cell("method", f"## What we did\n\n{plain(report.method) or _TO_WRITE}"),
        _cell("sure", f"## How sure we are\n\n{how_sure(report)}"),
        _cell("limits", f"## What we would not use it for\n\n{plain(report.limits) or _TO_WRITE}"),
        _cell("foot", foot),
    ]
    return notebook
