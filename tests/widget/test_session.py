"""What the widget does, by code: steps, undo, choice, keeping, files, and what fails."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio

from rsedu.errors import InputError
from rsedu.widget.session import Session, ask
from rsedu.widget.state import Box, Click, State

SHAPE = (30, 47)
HERE = (20, 15)


def disc(col: float, row: float, radius: float) -> np.ndarray:
    """Pixels whose centres lie within a radius."""
    rows, cols = np.indices(SHAPE)
    return np.hypot(cols - col, rows - row) <= radius


@pytest.fixture
def session(segmenter, scene) -> Session:
    return Session(segmenter, scene, bands=("B04", "B03", "B02"), label="clearing", path="masks")


def test_a_click_gives_the_best_mask_and_its_area(session):
    assert not session.mask.any()
    session.add_point(*HERE)
    np.testing.assert_array_equal(session.mask, disc(*HERE, 8))
    assert session.chosen == 1
    assert session.hectares == pytest.approx(disc(*HERE, 8).sum() * 0.01)
    assert session.summary == "Mask 2 of 3: 1.97 ha, predicted IoU 0.90, from 1 prompt."


def test_a_negative_click_takes_away_and_a_box_counts_pixels_by_their_edges(session):
    session.add_point(*HERE)
    session.add_point(26, 15, positive=False)
    np.testing.assert_array_equal(session.mask, disc(*HERE, 8) & ~disc(26, 15, 8))
    session.clear()
    session.add_box(3, 4, 9, 6)
    rows, cols = np.nonzero(session.mask)
    assert (cols.min(), cols.max(), rows.min(), rows.max()) == (3, 8, 4, 5)


def test_another_mask_stays_chosen_until_it_is_kept(session):
    with pytest.raises(InputError, match="no masks to choose from"):
        session.choose(0)
    session.add_point(*HERE)
    session.choose(2)
    session.add_point(25, 15)
    np.testing.assert_array_equal(session.mask, disc(*HERE, 12) | disc(25, 15, 12))
    assert "predicted IoU 0.80" in session.summary
    session.keep()
    session.add_point(*HERE)
    assert session.chosen == 1


def test_undo_goes_back_through_all_that_was_done(session):
    session.undo()
    session.add_point(*HERE)
    one = session.state
    session.add_box(0, 0, 5, 5)
    two = session.state
    session.clear()
    session.undo()
    assert session.state is two
    session.keep("farm")
    assert (session.state.steps, len(session.state.kept)) == ((), 1)
    session.undo()
    assert session.state is two
    session.undo()
    assert session.state is one
    session.undo()
    session.undo()
    assert session.state.steps == ()


def test_the_segmenter_is_asked_once_for_each_state(session, segmenter):
    session.add_point(*HERE)
    assert (session.mask.any(), session.summary != "", session.chosen) == (True, True, 1)
    session.choose(0)
    assert segmenter.asked == 1
    session.add_point(*HERE, positive=False)
    assert segmenter.asked == 2


def test_keeping_writes_label_and_prediction(session):
    session.add_point(*HERE)
    session.choose(0)
    session.keep("farm")
    session.label = "lake"
    session.add_box(0, 0, 2, 2)
    session.keep()
    first, second = session.state.kept
    assert (first.label, first.iou, first.steps) == ("farm", 0.7, (Click(col=20, row=15),))
    assert (second.label, second.iou) == ("lake", 0.9)
    np.testing.assert_array_equal(first.mask, disc(*HERE, 4))
    assert session.summary == "No prompts yet. Kept: 2."


def test_what_fails_never_was(session, segmenter, monkeypatch):
    session.add_point(*HERE)
    before = session.state

    def fail(prompt):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "predict", fail)
        for step in (lambda: session.add_point(1, 1), lambda: session.add_box(0, 0, 2, 2)):
            with pytest.raises(RuntimeError, match="out of memory"):
                step()
    with pytest.raises(InputError, match="outside"):
        session.add_point(47, 3)
    assert session.state is before
    np.testing.assert_array_equal(session.mask, disc(*HERE, 8))
    session.undo()
    assert session.state.steps == ()


def test_the_state_can_be_set(session):
    session.state = State(steps=(Click(col=20, row=15),), choice=2)
    np.testing.assert_array_equal(session.mask, disc(*HERE, 12))
    with pytest.raises(InputError, match="outside"):
        session.state = State(steps=(Click(col=99, row=0),))
    session.undo()
    assert session.state.steps == ()


def test_export_writes_both_files_at_the_right_place(session):
    session.add_point(*HERE)
    session.keep("farm")
    session.add_box(0, 0, 3, 2)
    paths = session.export()
    assert [str(path) for path in paths] == ["masks.geojson", "masks.tif"]
    features = json.loads(paths[0].read_text())["features"]
    told = [(one["properties"]["label"], one["properties"]["hectares"]) for one in features]
    assert told == [("farm", 1.97), ("clearing", 0.06)]
    with rasterio.open(paths[1]) as file:
        assert file.bounds == (500_000, 4_000_000 - 300, 500_470, 4_000_000)
        np.testing.assert_array_equal(file.read(1) == 1, disc(*HERE, 8))
        assert file.read(1)[:2, :3].tolist() == [[2, 2, 2], [2, 2, 2]]
    assert len(session.state.kept) == 1, "the mask at hand is still at hand"


def test_an_ending_chooses_the_file(session):
    with pytest.raises(InputError, match="no mask to export"):
        session.export()
    session.add_point(*HERE)
    assert session.export("a/b.tif") == (Path("a/b.tif"),)
    assert session.export(Path("c.geojson")) == (Path("c.geojson"),)
    assert not Path("c.tif").exists()
    with pytest.raises(InputError, match=r"ends in \.shp"):
        session.export("d.shp")


def roles(path: Path) -> list[str]:
    return [one["properties"]["role"] for one in json.loads(path.read_text())["features"]]


def test_saved_and_loaded_is_the_same(session, segmenter, scene):
    session.add_point(*HERE)
    session.keep("farm")
    assert roles(session.save("state.geojson")) == ["kept", "positive"]
    session.add_point(*HERE)
    session.add_point(25, 15, positive=False)
    session.choose(2)
    path = session.save("state.geojson")
    assert roles(path) == ["kept", "at hand", "positive", "negative", "positive"]
    other = Session(segmenter, scene, bands=("B04", "B03", "B02"), label="x", path="y")
    other.save("empty.geojson")
    other.load(path)
    assert (other.state.steps, other.chosen) == (session.state.steps, 2)
    np.testing.assert_array_equal(other.mask, session.mask)
    np.testing.assert_array_equal(other.state.kept[0].mask, session.state.kept[0].mask)
    other.load("empty.geojson")
    assert (other.state.steps, other.state.kept) == ((), ())


def test_threads_lose_no_step(session):
    def click(row: int) -> None:
        for col in range(20):
            session.add_point(col, row)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(click, range(4)))
    clicked = sorted((click.col, click.row) for click in session.state.clicks)
    assert clicked == [(col, row) for col in range(20) for row in range(4)]


STATE = State(
    steps=(
        Click(col=3, row=1),
        Box(left=0, top=0, right=2, bottom=2),
        Click(col=4, row=2, positive=False),
        Box(left=1, top=2, right=6, bottom=4),
    )
)


class Ear:
    """Remembers what it was asked."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def predict(self, prompt):
        self.heard = prompt
        return SimpleNamespace(masks=np.zeros(self.shape, dtype=bool), scores=(1, 2, 3), best=2)


def test_clicks_and_the_last_box_are_asked():
    ear = Ear((3, 5, 7))
    assert ask(ear, STATE, shape=(5, 7)).best == 2
    assert [tuple(point) for point in ear.heard.points] == [(3, 1), (4, 2)]
    assert [bool(label) for label in ear.heard.labels] == [True, False]
    assert tuple(ear.heard.box) == (1, 2, 6, 4)
    assert ear.heard.mask is None
    ask(ear, State(steps=STATE.steps[:1]), shape=(5, 7))
    assert ear.heard.box is None


@pytest.mark.parametrize("shape", [(3, 7, 5), (1, 5, 7), (5, 7)])
def test_masks_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match="embed the same scene"):
        ask(Ear(shape), STATE, shape=(5, 7))
