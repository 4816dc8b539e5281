"""The built site: every link leads somewhere, nothing is fetched, and it can be heard."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOLVED = sorted((REPOSITORY / "solutions").glob("[0-9][0-9]*_*.ipynb"))
# One of each kind, and whether the page is dark.
LOOKED_AT = (
    ("index", False),
    ("slides", False),
    ("results/07_oneshot", False),
    ("api/rsedu.blocks", False),
    ("lessons/00_start_here", False),
    ("lessons/01_sentinels", True),
    ("facilitator", True),
)
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src"}


class Page(HTMLParser):
    """What a page links to, loads, and can be linked at."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.images: list[str] = []
        self.formulas = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        self.ids |= {about[name] for name in ("id", "name") if name in about}
        self.formulas += tag == "math"
        if tag == "a" and "href" in about:
            self.links.append(about["href"])
        if LOADED.get(tag) in about:
            self.loads.append(about[LOADED[tag]])
        if tag == "img":
            self.images.append(about.get("alt", ""))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


@pytest.mark.lesson
def test_every_link_leads_to_a_page_and_a_place_on_it(pages: dict[Path, Page]) -> None:
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = pages[target].ids if target in pages else None
            if not target.is_file() or (
                parts.fragment and there is not None and unquote(parts.fragment) not in there
            ):
                dead.append(f"{path.name}: {link}")
    assert not dead


@pytest.mark.lesson
def test_nothing_is_fetched_from_elsewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for loaded in page.loads:
            parts = urlsplit(loaded)
            assert parts.scheme in ("", "data"), f"{path.name} loads {loaded}"
            assert parts.scheme or loaded == "#" or (path.parent / unquote(parts.path)).is_file(), (
                loaded
            )


@pytest.mark.lesson
@pytest.mark.parametrize("path", SOLVED, ids=lambda path: path.stem)
def test_a_lesson_is_there_with_its_figures_in_words(
    path: Path, site: Path, pages: dict[Path, Page]
) -> None:
    page = pages[site / "lessons" / f"{path.stem}.html"]
    text = path.read_text(encoding="utf-8")
    assert sum(len(alt) > 20 for alt in page.images) == text.count('"image/png": "')
    assert (page.formulas > 0) == ("$$" in text)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize(("name", "is_dark"), LOOKED_AT)
def test_a_page_can_be_heard_and_its_colours_told_apart(
    name: str, is_dark: bool, site: Path, browser: Any, repository: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    scheme = "dark" if is_dark else "light"
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 1000})
    page.goto((site / f"{name}.html").as_uri())
    found = Axe().run(page).response["violations"]
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent.trim()")
    page.keyboard.press("Escape")
    shots = repository / "artifacts" / "browser"
    shots.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=shots / f"site-{name.replace('/', '-')}-{scheme}.png")
    page.close()
    assert not [(each["id"], each["nodes"][0]["html"]) for each in found]
    assert first == "Skip to content"
