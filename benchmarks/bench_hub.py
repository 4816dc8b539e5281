"""A class arrives at once: a hub on loopback, many students, the first half of lesson 01 in each.

    python benchmarks/bench_hub.py --students 20

Each student logs in through the hub's API, starts a server, and runs the cells of lesson 01 up to
its middle in a kernel of their own, all at the same time. Printed are seconds and memory, and
whether weights are read where they lie. Needs jupyterhub and configurable-http-proxy.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from http.cookies import SimpleCookie
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import nbformat
import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

REPOSITORY = Path(__file__).resolve().parents[1]
LESSON = REPOSITORY / "notebooks" / "01_sentinels.ipynb"
LIMIT_S = 900
LEAST_FREE_GB = 3
WHERE = (
    "import os; from rsedu.models.weights import folder; print(folder(), os.access(folder(), 2))"
)


def first_half() -> list[str]:
    """Code of the lesson's first half, as students get it: unfinished, and it runs."""
    cells = [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]
    return [cell.source for cell in cells[: len(cells) // 2]]


async def ask(url: str, token: str = "", *, method: str = "GET", body: Any = None) -> Any:
    """Call an API; waits where the hub says that too many come at once."""
    headers = {"Authorization": f"token {token}"} if token else {}
    text = None if method == "GET" else json.dumps(body or {})
    while True:
        request = HTTPRequest(
            url, method=method, headers=headers, body=text, request_timeout=LIMIT_S
        )
        try:
            response = await AsyncHTTPClient().fetch(request)
        except HTTPClientError as error:
            if error.code != 429:
                raise
            await asyncio.sleep(1)
            continue
        return json.loads(response.body) if response.body else None


async def login(hub: str, name: str, password: str) -> str:
    """Log in as the page does, by name and password; a token for what follows."""
    client, cookies = AsyncHTTPClient(), SimpleCookie()

    async def post(path: str, body: str, **headers: str) -> HTTPResponse:
        sent = "; ".join(f"{key}={morsel.value}" for key, morsel in cookies.items())
        request = HTTPRequest(
            f"{hub}/hub/{path}",
            method="POST",
            body=body,
            headers={"Cookie": sent, **headers},
            follow_redirects=False,
            request_timeout=LIMIT_S,
        )
        return keep(await client.fetch(request, raise_error=False))

    def keep(response: HTTPResponse) -> HTTPResponse:
        for cookie in response.headers.get_list("Set-Cookie"):
            cookies.load(cookie)
        return response

    keep(await client.fetch(f"{hub}/hub/login", request_timeout=LIMIT_S))
    form = {"username": name, "password": password, "_xsrf": cookies["_xsrf"].value}
    entered = await post("login", urlencode(form))
    if entered.code != 302:
        raise RuntimeError(f"{name} was not let in: {entered.code} {entered.reason}")
    xsrf = {"X-XSRFToken": cookies["_xsrf"].value, "Content-Type": "application/json"}
    made = await post(f"api/users/{name}/tokens", "{}", **xsrf)
    return str(json.loads(made.body)["token"])


async def execute(socket: Any, session: str, code: str) -> str:
    """Run one cell; what it printed. Raises where it ended with an error."""
    header = {"msg_id": secrets.token_hex(8), "msg_type": "execute_request", "username": ""}
    header |= {"session": session, "date": "", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    await socket.write_message(json.dumps({**message, "channel": "shell", "buffers": []}))
    printed = ""
    while True:
        answer = json.loads(await socket.read_message())
        if answer["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        if answer["msg_type"] == "error":
            raise RuntimeError("\n".join(answer["content"]["traceback"]))
        printed += answer["content"].get("text", "") if answer["msg_type"] == "stream" else ""
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return printed


async def student(hub: str, name: str, password: str, cells: list[str]) -> dict[str, Any]:
    """One student: log in, start, work."""
    begun = time.perf_counter()
    token = await login(hub, name, password)
    logged_in = time.perf_counter()
    await ask(f"{hub}/hub/api/users/{name}/server", token, method="POST")
    while not (await ask(f"{hub}/hub/api/users/{name}", token)).get("server"):
        await asyncio.sleep(1)
    server = f"{hub}/user/{name}/api"
    kernel = (await ask(f"{server}/kernels", token, method="POST"))["id"]
    started = time.perf_counter()
    channels = f"{server.replace('http', 'ws', 1)}/kernels/{kernel}/channels"
    request = HTTPRequest(channels, headers={"Authorization": f"token {token}"})
    socket = await websocket_connect(request, max_message_size=2**26)
    for cell in cells:
        await execute(socket, kernel, cell)
    done = time.perf_counter()
    where = (await execute(socket, kernel, WHERE)).strip()
    return {
        "login": logged_in - begun,
        "start": started - logged_in,
        "lesson": done - started,
        "where": where,
    }


def memory_mb(hub: psutil.Process) -> dict[str, list[float]]:
    """Proportional memory of each single-user server and each kernel, shared pages split."""
    found: dict[str, list[float]] = {"server": [], "kernel": []}
    for process in hub.children(recursive=True):
        try:
            line = " ".join(process.cmdline())
            kind = "kernel" if "ipykernel" in line else "server" if "singleuser" in line else ""
            if kind:
                found[kind].append(process.memory_full_info().pss / 1e6)
        except psutil.Error:
            continue
    return found


async def watch(hub: psutil.Process, peak: dict[str, float]) -> None:
    """Keep the largest memory of all servers and kernels together; stop before the machine does."""
    while True:
        sizes = memory_mb(hub)
        peak["all"] = max(peak["all"], sum(map(sum, sizes.values())))
        if psutil.virtual_memory().available < LEAST_FREE_GB * 1e9:
            raise MemoryError(f"less than {LEAST_FREE_GB} GB free: take fewer students")
        await asyncio.sleep(3)


def start(home: Path, port: int, password: str) -> subprocess.Popen[bytes]:
    """Start the hub of the repository, with students' folders below `home`."""
    environment = {
        **os.environ,
        "RSEDU_HUB_PASSWORD": password,
        "RSEDU_HUB_URL": f"http://127.0.0.1:{port}",
        "RSEDU_STUDENTS": str(home / "students"),
        "RSEDU_HUB_ARGS": "--allow-root" if os.geteuid() == 0 else "",
        "PYTHONPATH": str(REPOSITORY),
    }
    command = [sys.executable, "-m", "jupyterhub", "--config"]
    log = (home / "hub.log").open("wb")
    return subprocess.Popen(
        [*command, str(REPOSITORY / "hub" / "jupyterhub_config.py")],
        env=environment,
        cwd=home,
        stdout=log,
        stderr=log,
    )


async def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the hub answers."""
    for _ in range(120):
        try:
            await ask(f"{url}/hub/api/")
            return
        except (OSError, HTTPClientError):
            await asyncio.sleep(1)
        if process.poll() is not None:
            break
    sys.exit(f"The hub did not start:\n{log.read_text()[-2000:]}")


async def lesson(url: str, count: int, password: str, hub: psutil.Process) -> None:
    """Let all students in at once, and print what it took."""
    AsyncHTTPClient.configure(None, max_clients=4 * count)
    peak = {"all": 0.0}
    watcher = asyncio.create_task(watch(hub, peak))
    cells = first_half()
    begun = time.perf_counter()
    work = [student(url, f"student{index:02d}", password, cells) for index in range(count)]
    everybody = asyncio.gather(*work)
    await asyncio.wait([everybody, watcher], return_when=asyncio.FIRST_COMPLETED)
    if watcher.done():
        everybody.cancel()
        watcher.result()
    found = await everybody
    took = time.perf_counter() - begun
    sizes = memory_mb(hub)
    peak["all"] = max(peak["all"], sum(map(sum, sizes.values())))
    watcher.cancel()
    print(f"{count} students, {len(cells)} cells of {LESSON.name} each: {took:.0f} s in all")
    for part in ("login", "start", "lesson"):
        seconds = sorted(each[part] for each in found)
        print(f"  {part:7} median {median(seconds):6.1f} s, longest {seconds[-1]:6.1f} s")
    for kind, values in sizes.items():
        print(f"  {kind:7} {len(values)} of them, median {median(values):.0f} MB (PSS)")
    print(f"  peak of all servers and kernels {peak['all'] / 1e3:.1f} GB: ", end="")
    print(f"{peak['all'] / count:.0f} MB a student")
    for place in sorted({each["where"] for each in found}):
        print(f"  weights, and whether they can be written to: {place}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=20)
    count = parser.parse_args().students
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="rsedu-hub-") as folder:
        home, url = Path(folder), f"http://127.0.0.1:{port}"
        process = start(home, port, password)
        hub = psutil.Process(process.pid)
        try:
            asyncio.run(wait_for(url, process, home / "hub.log"))
            try:
                asyncio.run(lesson(url, count, password, hub))
            except Exception:
                print((home / "hub.log").read_text()[-3000:])
                raise
            copied = [path.name for path in (home / "students").rglob("*.safetensors")]
            files = [path for path in (home / "students").rglob("*") if path.is_file()]
            each_mb = sum(path.stat().st_size for path in files) / count / 1e6
            print(f"  students' folders: {each_mb:.1f} MB each, weights copied: {len(copied)}")
        finally:
            family = hub.children(recursive=True)
            process.send_signal(signal.SIGTERM)
            psutil.wait_procs([hub], timeout=20)
            for left in psutil.wait_procs(family, timeout=10)[1]:
                left.kill()


if __name__ == "__main__":
    main()
