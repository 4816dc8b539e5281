"""A JupyterLab of our own on a loopback port, Chromium, and a page object to work a notebook."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    TimeoutError,
    sync_playwright,
)

# Ends of what hangs; every wait ends with what it waits for, so no good run is slower for them.
TIMEOUT_S, RUN_S = 120, 300
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update"
).split()
# No news pop-up over the page, and every cell in the page, not only those in view.
SETTINGS = {
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "notebook-extension/tracker": {"windowingMode": "none"},
}
# Nobody listens there: whatever a kernel tries to fetch fails at once.
NO_NETWORK = {
    name: "http://127.0.0.1:9"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
} | {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}


class CellError(Exception):
    """A cell ended with an error, or its kernel died."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image in pixels of its own, and how wide the page shows it."""

    width: int
    height: int
    shown: float


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell as the page shows it: `text` is its rendered Markdown or its outputs."""

    index: int
    kind: str
    exercise: str | None
    source: str
    text: str
    headings: list[tuple[int, str]]
    images: list[Picture]
    alts: list[str]


@dataclass(frozen=True, kw_only=True)
class Server:
    url: str
    token: str
    root: Path


class Lab:
    """One browser page on one notebook."""

    def __init__(self, page: Page, server: Server, *, shots: Path) -> None:
        self.page = page
        self.server = server
        self.shots = shots
        self.console: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", lambda request: self._visit(request.url))
        page.on("websocket", lambda websocket: self._visit(websocket.url))
        page.add_init_script(path=Path(__file__).with_name("lab.js"))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console.append(f"{message.text} ({message.location.get('url', '')})")

    def _visit(self, url: str) -> None:
        if host := urlsplit(url).hostname:
            self.hosts.add(host)

    def open(self, notebook: Path) -> None:
        """Copy the notebook into a new folder under the server's root and open the copy."""
        folder = self.server.root / secrets.token_hex(4)
        folder.mkdir()
        shutil.copy(notebook, folder)
        path = f"doc/tree/{folder.name}/{notebook.name}"
        self.page.goto(f"{self.server.url}/{path}?reset&token={self.server.token}")
        self._wait_idle()
        self.page.evaluate("rseduLab.watchKernel()")

    def _wait_idle(self) -> None:
        end = self.page.wait_for_function("() => rseduLab.opened()", polling=100).json_value()
        assert end["dialog"] is None, f"a dialog stands before the notebook: {end['dialog']}"

    def cells(self) -> list[Cell]:
        return [
            Cell(
                **{
                    **cell,
                    "headings": [(level, text) for level, text in cell["headings"]],
                    "images": [Picture(**image) for image in cell["images"]],
                }
            )
            for cell in self.page.evaluate("rseduLab.cells()")
        ]

    def exercise(self, name: str) -> Cell:
        """The cell whose metadata name this exercise."""
        return next(cell for cell in self.cells() if cell.exercise == name)

    def holding(self, text: str) -> Cell:
        """The first code cell whose source holds `text`."""
        return next(cell for cell in self.cells() if cell.kind == "code" and text in cell.source)

    def run_all(self) -> list[Cell]:
        with self._running():
            self._execute("notebook:run-all-cells")
        return self.cells()

    def run_cell(self, index: int) -> Cell:
        self.page.evaluate("index => rseduLab.activate(index)", index)
        with self._running():
            self._execute("notebook:run-cell")
        return self.cells()[index]

    def press_run(self) -> None:
        """Run the cell that is being edited, with the keyboard."""
        with self._running():
            self.page.keyboard.press("Control+Enter")

    def _execute(self, command: str) -> None:
        self.page.evaluate("id => { jupyterapp.commands.execute(id) }", command)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Wait for the end of what is started inside; raise at once at a new error output."""
        self.page.evaluate("rseduLab.expectRun()")
        yield
        try:
            end = self.page.wait_for_function(
                "() => rseduLab.ended()", polling=100, timeout=1000 * RUN_S
            ).json_value()
        except TimeoutError:
            cell = self.page.evaluate("rseduLab.running()")
            raise CellError(f"cell {cell} still runs after {RUN_S} s") from None
        if end["deaths"]:
            raise CellError("the kernel died")
        for error in end["errors"]:
            traceback = re.sub(r"\x1b\[[0-9;]*m", "", error["traceback"])
            raise CellError(f"cell {error['cell']}: {traceback}")

    def set_source(self, index: int, source: str) -> None:
        self.page.evaluate("([i, text]) => rseduLab.setSource(i, text)", [index, source])

    def replace(self, index: int, old: str, new: str) -> None:
        """Replace the first `old` in a cell's source, through the model."""
        source = self.cells()[index].source
        assert old in source, f"cell {index} does not hold {old!r}:\n{source}"
        self.set_source(index, source.replace(old, new, 1))

    def type_over(self, index: int, old: str, new: str) -> None:
        """Replace the first `old` in a cell's source with the keyboard.

        The editor indents a new line as the one before, so lines are typed without their indent.
        """
        wanted = self.cells()[index].source.replace(old, new, 1)
        self.page.evaluate("([i, text]) => rseduLab.select(i, text)", [index, old])
        for number, line in enumerate(new.split("\n")):
            if number:
                self.page.keyboard.press("Enter")
            self.page.keyboard.type(line.strip() if number else line)
        assert self.cells()[index].source == wanted

    def restart_kernel(self) -> None:
        self.page.evaluate("rseduLab.restart()")
        self._wait_idle()

    def screenshot(self, name: str) -> None:
        self.shots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.shots / f"{name}.png")

    def photograph(self, name: str) -> None:
        """Keep the whole notebook, one picture per viewport, in place of an earlier run's."""
        for earlier in self.shots.glob(f"{name}-[0-9][0-9].png"):
            earlier.unlink()
        page = 0
        while self.page.evaluate("page => rseduLab.turnTo(page)", page):
            page += 1
            self.screenshot(f"{name}-{page:02d}")

    def close(self) -> None:
        self.page.evaluate("window.jupyterapp?.serviceManager.sessions.shutdownAll()")
        self.page.context.close()


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """Run a JupyterLab whose settings, kernels and notebooks are in an empty folder."""
    for name, settings in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    (home / "root").mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(url=f"http://127.0.0.1:{port}", token=secrets.token_hex(16), root=home / "root")
    log = home / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *_arguments(server, port)],
            env=_environment(home),
            cwd=server.root,
            stdout=stream,
            stderr=stream,
        )
        try:
            _wait_for_answer(process, server, log)
            yield server
        finally:
            _stop(process)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab with settings, kernels and notebooks of its own in temporary folders."""
    with serving(tmp_path_factory.mktemp("lab")) as server:
        yield server


def _arguments(server: Server, port: int) -> list[str]:
    return [
        *("--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={server.token}", f"--ServerApp.root_dir={server.root}"),
        "--expose-app-in-browser",
    ]


def _environment(home: Path) -> dict[str, str]:
    """A learner's environment: the tests' own switches for figures and bars are taken out."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("MPLBACKEND", "TQDM_DISABLE")
    }
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    return kept | NO_NETWORK | {name: str(home / folder) for name, folder in folders.items()}


def _wait_for_answer(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    for _ in range(10 * TIMEOUT_S):
        try:
            with urlopen(f"{server.url}/api/status?token={server.token}", timeout=TIMEOUT_S):
                return
        except (URLError, ConnectionError):
            pass
        try:
            process.wait(timeout=0.1)
            break
        except subprocess.TimeoutExpired:
            continue
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# Not per session: while Playwright is on, its event loop runs, and no other test could start one.
@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    chromium = os.environ.get("RSEDU_CHROMIUM") or request.getfixturevalue("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def lab(browser: Browser, server: Server, repository: Path) -> Iterator[Lab]:
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.set_default_timeout(1000 * TIMEOUT_S)
    lab = Lab(page, server, shots=repository / "artifacts" / "browser")
    yield lab
    lab.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Of a failed test, keep a picture of the page, and report the page's own errors."""
    report = yield
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.when == "call" and report.failed and lab:
        name = f"failed-{item.name}"
        try:
            lab.screenshot(name)
            report.sections.append(("picture of the page", str(lab.shots / f"{name}.png")))
        except Error as error:
            report.sections.append(("no picture of the page", str(error)))
        report.sections.append(("console errors", "\n".join(lab.console) or "none"))
    return report
