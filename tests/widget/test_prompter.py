"""Events of the browser become steps, and steps become what the browser shows."""

import inspect
import json
import pickle
from pathlib import Path

import ipywidgets
import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.widget import Prompter
from rsedu.widget.canvas import packed
from rsedu.widget.session import Session
from rsedu.widget.state import Box, Click


class Page:
    """Stands for canvas.js: numbers its events and keeps those that were not taken."""

    def __init__(self, prompter: Prompter) -> None:
        self.canvas = prompter.children[-1]

    def send(self, *commands: dict) -> None:
        open_ = [event for event in self.canvas.events if event["id"] > self.canvas.taken]
        first = (open_[-1]["id"] if open_ else self.canvas.taken) + 1
        new = [{"id": first + number, **command} for number, command in enumerate(commands)]
        self.canvas.events = [*open_, *new]


def point(col: int, row: int, *, positive: bool = True) -> dict:
    return {"do": "point", "col": col, "row": row, "positive": positive}


@pytest.fixture
def page(prompter) -> Page:
    return Page(prompter)


def test_events_become_steps(prompter, page):
    page.send(point(20, 15))
    page.send({"do": "box", "left": 1, "top": 2, "right": 6, "bottom": 5})
    page.send(point(4, 3, positive=False))
    assert prompter.state.steps == (
        Click(col=20, row=15),
        Box(left=1, top=2, right=6, bottom=5),
        Click(col=4, row=3, positive=False),
    )
    page.send({"do": "undo"}, {"do": "choose", "index": 2})
    assert (len(prompter.state.steps), prompter.chosen) == (2, 2)
    page.send({"do": "keep"})
    assert [one.label for one in prompter.state.kept] == ["clearing"]
    page.send(point(1, 1), {"do": "clear"})
    assert prompter.state.steps == ()


def test_the_canvas_shows_what_the_prompter_holds(prompter, page):
    page.send(point(20, 15))
    canvas = page.canvas
    assert canvas.prompts == [point(20, 15)]
    assert canvas.mask == packed(prompter.mask) != b""
    assert (canvas.status, canvas.taken, canvas.kept) == (prompter.summary, 1, b"")
    prompter.keep()
    prompter.add_box(0, 0, 3, 3)
    prompter.keep()
    one, other = prompter.state.kept
    assert canvas.kept == packed(one.mask | other.mask)
    assert (canvas.mask, canvas.prompts) == (b"", [])
    prompter.add_box(2, 1, 4, 3)
    assert canvas.prompts == [{"do": "box", "left": 2, "top": 1, "right": 4, "bottom": 3}]


def test_each_answer_has_a_new_number(prompter, page):
    seen = [page.canvas.seq]
    for step in (
        lambda: page.send(point(20, 15)),
        lambda: page.send({"do": "choose", "index": 9}),
        lambda: prompter.add_point(1, 1),
        prompter.undo,
    ):
        step()
        seen.append(page.canvas.seq)
    assert seen == sorted(set(seen))


def test_many_events_are_one_question_and_one_that_comes_twice_counts_once(
    prompter, page, segmenter
):
    page.send(*(point(col, 15) for col in range(40)))
    assert len(prompter.state.clicks) == 40
    assert segmenter.asked == 1
    page.canvas.events = [{"id": 40, **point(39, 15)}, {"id": 41, **point(40, 15)}]
    assert [click.col for click in prompter.state.clicks] == list(range(41))


def test_what_fails_is_shown_and_the_rest_goes_on(prompter, page):
    page.send({"do": "keep"}, point(20, 15))
    assert len(prompter.state.clicks) == 1
    assert isinstance(prompter.last_error, InputError)
    assert page.canvas.error.startswith("InputError: There is no mask to keep")
    page.send(point(21, 15))
    assert (prompter.last_error, page.canvas.error) == (None, "")


def test_a_failing_segmenter_is_shown_and_its_click_forgotten(
    prompter, page, segmenter, monkeypatch
):
    page.send(point(20, 15))

    def fail(prompt):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "predict", fail)
        page.send(point(30, 15), point(31, 15))
    assert page.canvas.error == "RuntimeError: out of memory"
    assert page.canvas.taken == 3
    assert page.canvas.prompts == [point(20, 15)]
    assert prompter.undo() is None
    assert (prompter.last_error, page.canvas.error) == (None, "")
    page.send({"do": "dance"})
    assert isinstance(prompter.last_error, KeyError)
    page.send(point(22, 15))
    with pytest.raises(InputError, match="outside"):  # code hears of its errors itself
        prompter.add_point(99, 0)
    assert prompter.last_error is None


def buttons(widget: ipywidgets.Widget) -> dict[str, ipywidgets.Button]:
    found = [each for row in widget.children[:-1] for each in row.children]
    return {each.description: each for each in found if isinstance(each, ipywidgets.Button)}


def test_the_buttons_do_what_they_say(prompter, page):
    page.send(point(20, 15))
    press = {name: button.click for name, button in buttons(prompter).items()}
    assert set(press) == {"Undo", "Clear", "Keep", "Export"}
    press["Export"]()
    assert page.canvas.status == "Written: masks.geojson, masks.tif."
    press["Clear"]()
    assert (prompter.state.steps, page.canvas.status) == ((), "No prompts yet.")
    press["Undo"]()
    assert len(prompter.state.steps) == 1
    press["Keep"]()
    assert len(prompter.state.kept) == 1
    press["Keep"]()
    assert page.canvas.error.startswith("InputError: There is no mask")


def test_the_toolbar_and_the_state_agree(prompter):
    sign, masks = (prompter.children[row].children[1] for row in range(2))
    label = prompter.children[2].children[0]
    prompter.add_point(20, 15)
    assert (masks.options, masks.index) == (("1: 0.70", "2: 0.90", "3: 0.80"), 1)
    masks.index = 2
    assert prompter.chosen == 2
    prompter.choose(0)
    assert masks.index == 0
    label.value = "farm"
    assert prompter.label == "farm"
    prompter.label = "lake"
    assert label.value == "lake"
    prompter.keep()
    assert prompter.state.kept[0].label == "lake"
    assert sign.options == ("+ object", "\u2212 background")


def test_the_label_comes_with_what_needs_it(prompter, page):
    """What is typed can be on its way still when a mask is kept."""
    assert page.canvas.label == "clearing"
    page.send(point(20, 15), {"do": "keep", "label": "farm"}, point(4, 3))
    page.send({"do": "export", "label": "lake"})
    assert [one.label for one in prompter.state.kept] == ["farm"]
    features = json.loads(Path("masks.geojson").read_text())["features"]
    assert [one["properties"]["label"] for one in features] == ["farm", "lake"]
    assert prompter.label == "clearing"


def test_it_takes_what_every_widget_takes(prompter):
    """None of its own names stands before one of ipywidgets."""
    prompter.add_class("mine")
    prompter.layout = ipywidgets.Layout(width="50%")
    assert "mine" in prompter.get_state()["_dom_classes"]
    own = {
        name
        for kind in (Prompter, Session)
        for name, value in vars(kind).items()
        if inspect.isfunction(value) or isinstance(value, property)
    }
    assert {name for name in own if hasattr(ipywidgets.VBox, name)} == {"__init__", "__repr__"}


def test_opacity_is_between_none_and_all(prompter, page):
    slider = prompter.children[1].children[-1]
    for opacity in (0.0, 0.75, 1.0):
        prompter.opacity = opacity
        assert (prompter.opacity, page.canvas.opacity, slider.value) == (opacity,) * 3
    for beyond in (-0.01, 1.01):
        with pytest.raises(InputError, match="from 0"):
            prompter.opacity = beyond


def test_it_is_as_wide_as_asked_and_says_the_same_of_itself_at_each_run(segmenter, scene):
    wide = Prompter(segmenter, scene, width_px=470)
    assert wide.children[-1].width_px == 470
    wide.add_point(20, 15)
    wide.keep()
    assert repr(wide) == "Prompter(30 x 47 px, 0 prompts, 1 kept)"
    with pytest.raises(InputError, match="No band 'B08'"):
        Prompter(segmenter, scene, bands=("B08", "B04", "B03"))


def test_a_large_scene_is_clicked_in_its_own_pixels(discs, scene):
    wide = scene.resample(gsd_m=0.2)
    prompter = Prompter(discs.Discs(wide.shape), wide)
    canvas = prompter.children[-1]
    assert (canvas.cols, canvas.rows) == (2350, 1500)
    assert (canvas.mask_cols, canvas.mask_rows) == (1024, 654)
    Page(prompter).send(point(2349, 1499))
    assert prompter.mask[1499, 2349]
    bits = np.unpackbits(np.frombuffer(canvas.mask, np.uint8))[: 1024 * 654].reshape(654, 1024)
    assert bits[-1, -1]
    assert not bits[:-5].any()


def test_no_large_thing_is_sent_again(prompter, page):
    """A click costs the mask's bits, not the picture."""
    sent = []
    page.canvas.send_state = lambda key=None: sent.append(key if key == "events" else set(key))
    page.send(point(20, 15))
    assert sent == ["events", {"mask", "prompts", "seq", "status", "taken"}]
    assert len(pickle.dumps(page.canvas.mask)) < 30 * 47 / 8 + 100
