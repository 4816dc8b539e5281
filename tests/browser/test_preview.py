"""`rsedu preview` as an author sees it: two notebooks side by side, nothing folded over them."""

import pytest

pytestmark = pytest.mark.browser


def test_both_notebooks_stand_side_by_side(browser, previewed, repository):
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(f"{previewed.url}/?token={previewed.token}")
    page.wait_for_function("() => document.querySelectorAll('.jp-Notebook .jp-Cell').length > 20")
    panels = page.locator(".jp-NotebookPanel")
    left, right = (panels.nth(index).bounding_box() for index in range(panels.count()))
    if left["x"] > right["x"]:
        left, right = right, left
    shown = [
        page.evaluate(
            "x => document.elementFromPoint(x, 450).closest('.jp-NotebookPanel').innerText", x
        )
        for x in (left["x"] + 200, right["x"] + 200)
    ]
    page.screenshot(path=repository / "artifacts" / "browser" / "preview.png")
    page.evaluate("window.jupyterapp?.serviceManager.sessions.shutdownAll()")
    page.close()

    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    assert left["width"] == pytest.approx(right["width"], abs=10) and left["width"] > 500
    assert "raise NotImplementedError" in shown[0] and "BEGIN SOLUTION" not in shown[0]
    assert "BEGIN SOLUTION" in shown[1]
