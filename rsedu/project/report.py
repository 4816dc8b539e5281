"""A group's one-page report: HTML that fills itself with numbers, figures and the group's texts.

The page needs no other file and runs nothing; the browser that shows it prints it on one sheet.
"""

import base64
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float32

from rsedu import __version__, plot
from rsedu.evaluation.area import ALLOCATIONS
from rsedu.project import change_map, figure
from rsedu.project.place import Place
from rsedu.project.score import FEW, LOST, NO_INTERVAL, SAMPLE, Score, by_year, in_words, score
from rsedu.project.scoreboard import clean

_LONGEST = {"track": 60, "method": 900, "limits": 900}  # letters; more does not fit on one page
_MONTHS = (  # the page is in English, whatever the machine's language
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_FONT: Any = {"font.size": 15, "axes.titlesize": 17}  # figures are shown at half their size


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """What a group hands in: the map of a place, in decimal years, NaN for no loss, and words.

    Attributes:
        group: its name.
        track: how they went on, such as "B, CROMA through clouds"; may be empty.
        method: what they did, in their words; paragraphs parted by empty lines.
        limits: what they would not use the map for, in their words.
        sample, how, seed: see `rsedu.project.score.score`.
        day: date of the report.
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

    def __post_init__(self) -> None:
        clean(self.group)
        object.__setattr__(self, "true", self.place.truth())
        scored = score(self.mapped, self.true, gsd_m=self.place.gsd_m, **self._drawn)
        object.__setattr__(self, "score", scored)

    @property
    def _drawn(self) -> dict[str, Any]:
        return {"sample": self.sample, "how": self.how, "seed": self.seed}

    def page(self) -> str:
        """Return the report as HTML, in which all of the group's words are text and no markup."""
        text = files("rsedu.project").joinpath("report.html.j2").read_text(encoding="utf-8")
        environment = jinja2.Environment(
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
        )
        # 7 March 2026; not by strftime, whose letters differ between systems and languages.
        day = f"{self.day.day} {_MONTHS[self.day.month - 1]} {self.day.year}"
        words = {name: paragraphs(getattr(self, name), most) for name, most in _LONGEST.items()}
        return environment.from_string(text).render(
            group=clean(self.group),
            facts=[*words["track"], f"SYNTHETIC {self.place}", day],
            numbers=_numbers(self.score),
            maps=_drawn(self._draw_maps),
            years=_drawn(self._draw_years),
            method=words["method"],
            how_sure=how_sure(self),
            limits=words["limits"],
            foot=self._foot(),
        )

    def write(self, path: Path | str) -> Path:
        """Write the page, whole or not at all, to a path that ends in .html; return the path."""
        path = Path(path)
        check_name(path)
        text = self.page()
        figure.write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        return path

    def _draw_maps(self) -> str:
        """Truth, map and errors."""
        summary = figure.draw(self.mapped, self.true, self.place, self.score)
        plt.gcf().suptitle("")  # the page has it above
        plt.gcf().set_size_inches(14.0, 3.7)
        return summary

    def _draw_years(self) -> str:
        """Hectares of each year."""
        (ax,) = plot.panels(1, 1, title="", size_in=(7.0, 4.6))
        return figure.draw_years(by_year(self.mapped, self.true, self.place, **self._drawn), ax=ax)

    def _foot(self) -> str:
        estimate = self.score.estimate
        user, producer = (
            in_words(float(share[LOST]), ".2f", "").rstrip()
            for share in (estimate.user, estimate.producer)
        )
        return (
            f"Scored by rsedu {__version__} with {self.sample} pixels, allocation {self.how}, seed "
            f"{self.seed}. User's accuracy of loss {user}, producer's {producer}. The "
            "place is synthetic: nothing here is a fact about a real forest."
        )


def check_name(path: Path) -> None:
    """Refuse a name for the page that does not end in .html; errors as `figure.check_name`."""
    figure.check_name(path, ".html", "A report is a page that any browser prints or saves as PDF")


def paragraphs(text: str, longest: int) -> list[str]:
    """Return the paragraphs of a group's text, which are parted by empty lines.

    All other white space is a space; letters beyond `longest` are cut off.
    """
    cut = text if len(text) <= longest else f"{text[:longest].rstrip()} ..."
    joined = (" ".join(part.split()) for part in re.split(r"\n\s*\n", cut))
    return [paragraph for paragraph in joined if paragraph]


def remarks(report: Report) -> list[str]:
    """Say what of the group's words the page cuts off, and what is odd about the map's years."""
    cut = [
        f"The text {name} has {len(text)} letters, and {longest} fit on the page: the rest of it "
        "is left out; shorten it."
        for name, longest in _LONGEST.items()
        if len(text := getattr(report, name)) > longest
    ]
    return [*cut, *filter(None, [change_map.remark(report.mapped)])]


def _drawn(draw: Callable[[], str]) -> dict[str, str]:
    """A figure as base64, and its sentence."""
    with plt.rc_context(_FONT):
        summary = draw()
        png = plot.small_png(plt.gcf())
        plt.close()
    return {"summary": summary, "png": base64.b64encode(png).decode("ascii")}


def _numbers(score: Score) -> dict[str, str]:
    interval = score.interval
    return {
        "hectares lost, estimated": in_words(score.estimated_ha, ".0f", "ha"),
        "95 % interval": interval if interval == "none" else f"{interval} ha",
        "F1 of change": f"{score.f1:.3f}",
        "dates beside the truth": in_words(score.date_error_years, ".2f", "years"),
        "outlines beside the truth": in_words(score.boundary_bias_m, "+z.1f", "m"),
    }


def how_sure(report: Report) -> str:
    """Say in words what was looked up, what was found, and what follows."""
    were = defaultdict(lambda: "were", {1: "was"})
    score = report.score
    (unchanged, missed), (alarms, right) = score.matrix.tolist()
    truth = f"The truth, which no real project has, is {score.true_ha:.0f} ha."
    if not score.matrix.any():
        return f"{NO_INTERVAL} {truth}"
    text = (
        f"{score.matrix.sum()} pixels were drawn at random and looked up. Of "
        f"{alarms + right} that the map shows as lost, {right} {were[right]}; of "
        f"{unchanged + missed} others {missed} {were[missed]} lost too. So "
        f"{score.estimated_ha:.0f} ha, {score.interval} with 95 % confidence (Olofsson et "
        "al. 2014, with Jeffreys' intervals). The map's own pixels add up to "
        f"{score.mapped_ha:.0f} ha, a count without an error. {truth}"
    )
    if missed >= FEW:
        return text
    met = "No omission was" if not missed else f"Only {missed} of the omissions {were[missed]}"
    return text + f" {met} met by the sample: the upper end is what we know least."
