import subprocess
from pathlib import Path

import pytest

from rsedu import browser
from rsedu.errors import BrokenDataError, MissingDataError

PAGE = "<!DOCTYPE html><title>t</title><p>one page"


def test_no_browser_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.find_chromium() is None
    with pytest.raises(MissingDataError, match="apt install chromium, or open the HTML report"):
        browser.print_pdf(PAGE, tmp_path / "page.pdf")
    assert not list(tmp_path.iterdir())


def test_the_browser_found_is_the_one_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "google-chrome"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.find_chromium() == str(program)


@pytest.mark.parametrize(
    ("script", "said"), [("echo first >&2; echo no screen >&2", "no screen"), ("exit 3", "3")]
)
def test_a_browser_that_prints_nothing_is_told(
    script: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokenDataError, match=rf"printed no PDF: open the HTML .*{said}\)"):
        browser.print_pdf(PAGE, tmp_path / "page.pdf")
    assert not (tmp_path / "page.pdf").exists()


def test_a_browser_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def hang(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(browser, "find_chromium", lambda: "chromium")
    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(BrokenDataError, match="TimeoutExpired"):
        browser.print_pdf(PAGE, tmp_path / "page.pdf")


def test_a_page_is_printed(chromium: str, tmp_path: Path) -> None:
    path = browser.print_pdf(PAGE, tmp_path / "page.pdf")
    assert path.read_bytes().startswith(b"%PDF")
    assert [each.name for each in tmp_path.iterdir()] == ["page.pdf"]
