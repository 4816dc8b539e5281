"""The Chromium or Chrome of the machine, where there is one: it prints pages as PDF, offline."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from rsedu.errors import BrokenDataError, MissingDataError

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LIMIT_S = 120


def find_chromium() -> str | None:
    """The browser that the browser tests drive, and that prints.

    Returns:
        Path of the first Chromium or Chrome on PATH, None where there is none.
    """
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def print_pdf(page: str, path: Path) -> Path:
    """Print a page to a PDF; the browser starts without a window and with an empty profile.

    Args:
        page: HTML that needs no other file.
        path: of the PDF; its folder exists.

    Returns:
        The path.

    Raises:
        MissingDataError: there is no Chromium or Chrome.
        BrokenDataError: the browser wrote no PDF.
    """
    browser = find_chromium()
    if browser is None:
        raise MissingDataError(
            f"A PDF needs Chromium or Chrome, and none of {', '.join(CHROMIUM_NAMES)} is on PATH: "
            "apt install chromium, or open the HTML report in any browser and print it to a file."
        )
    with tempfile.TemporaryDirectory(prefix="rsedu-print-") as folder:
        source, printed = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        said = _run([browser, *_flags(folder), f"--print-to-pdf={printed}", source.as_uri()])
        if not printed.is_file() or not printed.read_bytes().startswith(b"%PDF"):
            raise BrokenDataError(
                f"{browser} printed no PDF: open the HTML report in a browser and print it to a "
                f"file ({said})."
            )
        shutil.copyfile(printed, path)
    return path


def _flags(folder: str) -> list[str]:
    """Without a window, a card, a name server or traces in the user's own profile."""
    return [
        "--headless",
        "--disable-gpu",
        "--no-sandbox",  # needed in containers; the page is the kit's own and runs no script
        "--no-pdf-header-footer",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={folder}/profile",
    ]


def _run(command: list[str]) -> str:
    """Last line that the browser wrote, for the message where something went wrong."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}"
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"
