import io
from typing import Any

import pytest

from rsedu.io.progress_bar import progress_bar


@pytest.fixture(autouse=True)
def switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)


def shown(**settings: Any) -> str:
    text = io.StringIO()
    assert list(progress_bar(range(3), file=text, unit="world", **settings)) == [0, 1, 2]
    return text.getvalue()


def test_items_pass_and_are_counted() -> None:
    assert "3/3" in shown()
    assert "world" in shown()
    assert "worlds so far" in shown(desc="worlds so far")


def test_a_hidden_bar_shows_nothing() -> None:
    assert shown(hidden=True) == ""


@pytest.mark.parametrize(("value", "silent"), [("1", True), ("0", False), ("", False)])
def test_the_environment_switches_all_bars_off(
    monkeypatch: pytest.MonkeyPatch, value: str, silent: bool
) -> None:
    monkeypatch.setenv("TQDM_DISABLE", value)
    assert (shown() == "") is silent


def test_the_widget_too_obeys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap this module is for: tqdm.notebook overwrites what the environment says."""
    import tqdm.notebook

    from rsedu.io import progress_bar as module

    displayed: list[object] = []
    monkeypatch.setattr(tqdm.notebook, "display", displayed.append)
    monkeypatch.setattr(module, "tqdm", tqdm.notebook.tqdm)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    assert list(progress_bar(range(3))) == [0, 1, 2]
    assert displayed == []
    monkeypatch.delenv("TQDM_DISABLE")
    assert list(progress_bar(range(3))) == [0, 1, 2]
    assert len(displayed) == 1


def test_a_bar_can_be_moved_by_hand() -> None:
    text = io.StringIO()
    with progress_bar(total=5, file=text) as moved:
        moved.update(5)
    assert "5/5" in text.getvalue()
