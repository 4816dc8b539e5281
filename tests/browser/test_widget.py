"""The prompting widget in a real JupyterLab: what a hand does, and what comes of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
import pytest
import rasterio
import rasterio.warp
import shapely
from playwright.sync_api import Locator, Page, expect

from rsedu.scenes.samples import pairs

pytestmark = pytest.mark.browser
expect.set_options(timeout=1000 * 60)  # ends what hangs; no good run is slower for it

DISCS = Path(__file__).parents[1] / "widget"
IMPORTS = f"""import sys
sys.path.insert(0, {str(DISCS)!r})
from discs import Discs
from rsedu.scenes.samples import clearing, pairs
from rsedu.widget import Prompter"""
SHOW = """scene = clearing()
discs = Discs(scene.shape)
prompter = Prompter(discs, scene)
prompter"""
STEPS = "print([tuple(vars(step).values()) for step in prompter.state.steps])"


def write_notebook(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return path


class Hand:
    """Works the one prompter of a page, in pixels of its scene."""

    def __init__(self, lab, *, cols: int = 300, rows: int = 300, seq: int = 1) -> None:
        self.lab, self.page = lab, lab.page
        self.cols, self.rows = cols, rows
        self.root = self.page.locator(".rsedu-prompter")
        self.marks = self.root.locator(".rsedu-marks")
        self.overlay = self.root.locator(".rsedu-overlay")
        self.status = self.root.locator(".rsedu-status")
        self.error = self.root.locator(".rsedu-error")
        expect(self.root).to_have_attribute("data-seq", str(seq))
        self.marks.scroll_into_view_if_needed()

    def at(self, col: float, row: float) -> tuple[float, float]:
        """Where the page shows the centre of a pixel."""
        box = self.marks.bounding_box()
        x = box["x"] + (col + 0.5) * box["width"] / self.cols
        return x, box["y"] + (row + 0.5) * box["height"] / self.rows

    def click(self, col: float, row: float, *, button: str = "left") -> None:
        self.page.mouse.click(*self.at(col, row), button=button)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=5)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, text: str) -> Locator:
        return self.page.locator(".jupyter-button", has_text=text)

    def push(self, text: str) -> None:
        """Push a button and wait for what comes of it."""
        seq = int(self.root.get_attribute("data-seq"))
        self.button(text).click()
        expect(self.root).to_have_attribute("data-seq", str(seq + 1))

    def painted(self) -> int:
        """Pixels of the screen with a mark: clicks, boxes, the cross-hair."""
        return self.marks.evaluate(
            """canvas => {
                const { width, height } = canvas;
                const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
                return data.filter((value, at) => at % 4 === 3 && value > 0).length;
            }"""
        )

    def settle(self, taken: int) -> None:
        """Wait until Python has answered so many events."""
        expect(self.root).to_have_attribute("data-taken", str(taken))

    def covered(self, *pixels: tuple[int, int]) -> list[bool]:
        """Whether a mask covers pixels of the scene, in a picture of one pixel for each."""
        return self.overlay.evaluate(
            """(canvas, pixels) => {
                const context = canvas.getContext('2d');
                return pixels.map(([col, row]) => context.getImageData(col, row, 1, 1).data[3] > 0);
            }""",
            pixels,
        )

    def steps(self) -> str:
        """Clicks (col, row, positive) and boxes (left, top, right, bottom) as Python has them."""
        return self.lab.run_cell(self.lab.holding(STEPS).index).text


@pytest.fixture
def hand(lab, tmp_path) -> Hand:
    return shown(lab, tmp_path, SHOW)


def shown(lab, tmp_path: Path, show: str, **size: int) -> Hand:
    """Open a notebook that imports, shows a prompter, and can print its steps."""
    lab.open(write_notebook(tmp_path / "prompt.ipynb", IMPORTS, show, STEPS))
    lab.run_cell(0)
    lab.run_cell(1)
    return Hand(lab, **size)


@contextmanager
def theme(page: Page, name: str) -> Iterator[None]:
    """Show the page in another theme; settings outlive a page, so the light one comes back."""
    try:
        dress(page, name)
        yield
    finally:
        dress(page, "JupyterLab Light")


def dress(page: Page, name: str) -> None:
    change = "name => { jupyterapp.commands.execute('apputils:change-theme', { theme: name }) }"
    page.evaluate(change, name)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", name)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def test_clicks_of_both_signs_and_how_they_are_taken_back(hand):
    """The disc of a click has a radius of 8 pixels."""
    there, near, beyond = (100, 80), (107, 80), (109, 80)
    assert hand.covered(there, near, beyond) == [False, False, False]
    hand.click(*there)
    hand.settle(1)
    assert hand.covered(there, near, beyond) == [True, True, False]
    expect(hand.status).to_have_text("Mask 2 of 3: 1.97 ha, predicted IoU 0.90, from 1 prompt.")
    hand.click(110, 80, button="right")
    hand.settle(2)
    assert hand.covered(there, near) == [True, False]
    hand.push("Undo")
    assert hand.covered(there, near) == [True, True]
    hand.page.keyboard.down("Shift")
    hand.click(110, 80)
    hand.page.keyboard.up("Shift")
    hand.settle(4)
    hand.push("Clear")
    assert hand.covered(there, near) == [False, False]
    hand.push("Undo")
    assert hand.covered(there, near) == [True, False]
    hand.button("background").click()
    hand.click(100, 90)
    hand.button("+ object").click()
    hand.click(150, 90)
    hand.settle(8)
    assert hand.steps() == (
        "[(100, 80, True), (110, 80, False), (100, 90, False), (150, 90, True)]"
    )
    assert hand.lab.hosts == {"127.0.0.1"}
    assert hand.lab.console == []


def test_boxes_masks_keeping_and_looks(hand):
    hand.drag((150, 100), (199, 139))
    hand.settle(1)
    assert hand.covered((150, 100), (199, 139), (149, 100), (200, 139)) == [
        True,
        True,
        False,
        False,
    ]
    hand.drag((250, 60), (240, 50))
    hand.settle(2)
    assert hand.steps() == "[(150, 100, 200, 140), (240, 50, 251, 61)]"
    hand.push("Undo")
    hand.click(100, 60)
    hand.settle(4)
    assert hand.covered((110, 60)) == [False]
    hand.push("3: 0.80")
    assert hand.covered((110, 60), (150, 100)) == [True, True]
    expect(hand.overlay).to_have_css("opacity", "0.4")
    hand.page.locator(".noUi-handle").focus()
    hand.press("ArrowRight", "ArrowRight")
    expect(hand.overlay).to_have_css("opacity", "0.5")
    hand.page.locator(".widget-text input").fill("farm")
    hand.push("Keep")
    expect(hand.status).to_have_text("No prompts yet. Kept: 1.")
    hand.click(60, 200)
    hand.click(75, 205, button="right")
    hand.drag((30, 180), (80, 230))
    hand.settle(9)
    hand.lab.screenshot("widget-light")
    with theme(hand.page, "JupyterLab Dark"):
        hand.lab.screenshot("widget-dark")


def test_the_keyboard_does_all_of_it(hand):
    sources = [cell.source for cell in hand.lab.cells()]
    hand.marks.focus()
    hand.press("ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown")
    expect(hand.status).to_have_text("Column 159, row 159.")
    hand.press("Enter", "Shift+ArrowRight", "n")
    hand.settle(2)
    assert hand.covered((159, 159), (165, 159)) == [True, False]
    hand.press("3")
    hand.settle(3)
    expect(hand.status).to_contain_text("Mask 3 of 3")
    hand.press("u", "k", "b", "Shift+ArrowLeft", "Shift+ArrowUp", "b")
    hand.settle(6)
    assert hand.steps() == "[(159, 149, 170, 160)]"
    hand.marks.focus()
    hand.press("b", "Escape", "ArrowLeft", "Enter", "Control+z", "Escape", "Control+z", "e")
    hand.settle(11)
    assert hand.steps() == "[(159, 149, 170, 160)]"
    expect(hand.status).to_have_text("Written: masks.geojson, masks.tif.")
    hand.marks.focus()
    hand.press("Escape", "k")
    hand.settle(13)
    expect(hand.error).to_have_text(
        "InputError: There is no mask to keep: click on the object first."
    )
    hand.lab.screenshot("widget-error")
    hand.press("a", "x", "d", "d", "Shift+M")
    assert [cell.source for cell in hand.lab.cells()] == sources, "these are JupyterLab's keys"
    assert hand.page.evaluate("document.activeElement.getAttribute('role')") == "application"


def test_a_key_does_nothing_where_nobody_aimed(hand):
    hand.click(100, 80)
    hand.press("Escape")
    hand.settle(2)
    hand.press("Enter")
    expect(hand.status).to_have_text("Column 150, row 150.")
    assert hand.painted() > 0
    hand.press("ArrowLeft", "Enter")
    hand.settle(3)
    hand.page.mouse.move(*hand.at(50, 50))
    hand.page.mouse.down()
    hand.page.mouse.move(*hand.at(90, 90), steps=4)
    hand.press("Escape")
    hand.page.mouse.up()
    hand.click(60, 60)
    hand.settle(4)
    assert hand.steps() == "[(149, 150, True), (60, 60, True)]"


def test_whoever_comes_by_key_sees_the_cross_hair(hand):
    assert hand.painted() == 0
    hand.button("Export").focus()
    hand.press("Tab")
    expect(hand.marks).to_be_focused()
    assert hand.painted() > 0
    hand.press("Shift+Tab")
    assert hand.painted() == 0


def test_without_its_kernel_it_says_so(hand):
    hand.lab.restart_kernel()
    hand.marks.scroll_into_view_if_needed()
    hand.click(100, 80)
    expect(hand.status).to_have_text("The kernel is gone: run the cell again.")


@pytest.mark.parametrize("width_px", [299, 640, 733])
def test_every_size_of_the_picture_gives_the_same_pixels(lab, tmp_path, width_px):
    """The last one is wider than the page has room for."""
    show = SHOW.replace("scene)\n", f"scene, width_px={width_px})\n")
    lab.page.set_viewport_size({"width": 760, "height": 1600})
    hand = shown(lab, tmp_path, show)
    place = hand.marks.bounding_box()
    assert hand.overlay.bounding_box() == hand.root.locator("img").bounding_box() == place
    assert (place["width"] == width_px) == (width_px < 700)
    pixels = [(0, 0), (299, 299), (0, 299), (123, 45), (7, 250)]
    for col, row in pixels:
        hand.click(col, row)
    hand.settle(len(pixels))
    assert hand.steps() == str([(col, row, True) for col, row in pixels])
    assert hand.covered(*pixels) == [True] * 5
    assert hand.covered((123, 36), (123, 38), (131, 45), (132, 45)) == [False, True, True, False]


PLACED = """pair = pairs()[1]
scene = pair.optical
prompter = Prompter(Discs(scene.shape), scene, label="field", path="out/fields")
prompter"""


def test_exported_files_lie_at_the_right_place(lab, tmp_path):
    hand = shown(lab, tmp_path, PLACED, cols=120, rows=120)
    hand.drag((10, 20), (29, 49))
    hand.settle(1)
    hand.push("Export")
    expect(hand.status).to_have_text("Written: out/fields.geojson, out/fields.tif.")
    (path,) = lab.server.root.glob("*/out/fields.tif")
    scene = pairs()[1].optical
    west, _, _, north = scene.bounds
    inside = (west + 100, north - 500, west + 300, north - 200)
    with rasterio.open(path) as file:
        assert (file.bounds, file.crs) == (scene.bounds, scene.crs)
        rows, cols = np.nonzero(file.read(1))
        assert (cols.min(), rows.max() + 1, cols.max() + 1, rows.min()) == (10, 50, 30, 20)
        (window,) = [file.window(*inside)]
        assert file.read(1, window=window).tolist() == [[1] * 20] * 30
    (feature,) = json.loads(path.with_suffix(".geojson").read_text())["features"]
    in_metres = rasterio.warp.transform_geom("EPSG:4326", scene.crs, feature["geometry"])
    np.testing.assert_allclose(shapely.geometry.shape(in_metres).bounds, inside, atol=0.05)
    assert (feature["properties"]["label"], feature["properties"]["hectares"]) == ("field", 6.0)


def test_of_fifty_clicks_in_a_row_none_is_lost(hand):
    pixels = [(10 + 5 * number, 20 + 37 * number % 251) for number in range(50)]
    for col, row in pixels:
        hand.click(col, row)
    hand.settle(50)
    assert hand.covered(*pixels) == [True] * 50
    expect(hand.status).to_contain_text("from 50 prompts")
    assert hand.steps() == str([(col, row, True) for col, row in pixels])


def test_a_reloaded_page_shows_the_same(hand):
    hand.click(100, 80)
    hand.settle(1)
    hand.press("ControlOrMeta+s")
    hand.page.wait_for_function("() => !rseduLab.panel().context.model.dirty")
    hand.page.reload()
    again = Hand(hand.lab, seq=2)
    assert again.covered((100, 80), (120, 80)) == [True, False]
    again.click(120, 80)
    again.settle(2)
    assert again.steps() == "[(100, 80, True), (120, 80, True)]"


BUSY = """from pathlib import Path
from threading import Event
while not Path("go").exists():
    Event().wait(0.02)"""


KEPT = "print([(one.label, len(one.steps)) for one in prompter.state.kept])"


def busy(lab, tmp_path: Path) -> Hand:
    """A prompter whose kernel runs a cell until `release` is called."""
    lab.open(write_notebook(tmp_path / "busy.ipynb", IMPORTS, SHOW, STEPS, BUSY, KEPT))
    lab.run_cell(0)
    lab.run_cell(1)
    hand = Hand(lab)
    lab.page.evaluate("rseduLab.activate(3)")
    lab._execute("notebook:run-cell")
    expect(lab.page.locator(".jp-InputPrompt", has_text="[*]:")).to_have_count(1)
    hand.marks.scroll_into_view_if_needed()
    hand.click(100, 80)
    expect(hand.status).to_have_text("Working ...")
    return hand


def release(hand: Hand) -> None:
    notebook = hand.page.url.partition("?")[0].split("/doc/tree/")[1]
    (hand.lab.server.root / notebook).with_name("go").touch()


def test_clicks_wait_for_a_busy_kernel(lab, tmp_path):
    """While a cell runs, clicks are drawn and wait; then all are taken, in their order."""
    hand = busy(lab, tmp_path)
    for col in range(110, 200, 10):
        hand.click(col, 80)
    hand.press("u", "1")
    assert hand.covered((100, 80)) == [False]
    hand.lab.screenshot("widget-busy")
    release(hand)
    hand.settle(12)
    assert hand.covered((100, 80), (180, 80), (190, 80)) == [True, True, False]
    expect(hand.status).to_contain_text("Mask 1 of 3")
    assert hand.steps() == str([(col, 80, True) for col in range(100, 190, 10)])


def test_buttons_and_the_label_keep_their_place_among_clicks_that_wait(lab, tmp_path):
    hand = busy(lab, tmp_path)
    hand.click(110, 80)
    hand.click(120, 80)
    hand.button("Undo").click()
    hand.page.locator(".widget-text input").fill("")
    hand.page.locator(".widget-text input").press_sequentially("farm")
    hand.button("Keep").click()
    hand.click(150, 80)
    release(hand)
    hand.settle(6)
    expect(hand.status).to_contain_text("from 1 prompt. Kept: 1.")
    assert hand.steps() == "[(150, 80, True)]"
    assert lab.run_cell(4).text == "[('farm', 2)]"


LARGE = """scene = clearing().resample(gsd_m=2.0)
prompter = Prompter(Discs(scene.shape), scene)
print(len(prompter.children[-1].picture) // 1000, "kB")
prompter"""


def test_a_scene_larger_than_the_screen_is_clicked_in_its_own_pixels(lab, tmp_path):
    hand = shown(lab, tmp_path, LARGE, cols=1500, rows=1500)
    hand.drag((300, 600), (899, 899))
    hand.settle(1)
    (box,) = json.loads(hand.steps().replace("(", "[").replace(")", "]"))
    # One pixel of the page is 2.3 of the scene.
    np.testing.assert_allclose(box, [300, 600, 900, 900], atol=3)
    left, top, right, bottom = (round(edge * 1024 / 1500) for edge in box)
    assert hand.overlay.get_attribute("width") == "1024"
    assert hand.covered((left, top), (right - 1, bottom - 1)) == [True, True]
    around = [(left - 2, top), (left, top - 2), (right + 1, top), (left, bottom + 1)]
    assert hand.covered(*around) == [False] * 4
    assert hand.root.locator("img").evaluate("image => image.naturalWidth") == 1024
