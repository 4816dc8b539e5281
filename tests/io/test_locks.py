import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rsedu.io.locks import locked


def test_a_lock_leaves_nothing_behind(tmp_path: Path) -> None:
    said: list[int] = []
    with locked(tmp_path / "a.lock", lambda: said.append(1)):
        assert (tmp_path / "a.lock").exists()
    with pytest.raises(RuntimeError), locked(tmp_path / "a.lock"):
        raise RuntimeError
    assert not said and not list(tmp_path.iterdir())


def test_a_file_left_by_a_crash_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "a.lock").touch()
    with locked(tmp_path / "a.lock", lambda: pytest.fail("it waited")):
        pass


def test_never_two_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rsedu.io.locks._PAUSE_S", 0.001)
    inside, most, done = [0], [0], [0]

    def work() -> None:
        for _ in range(20):
            with locked(tmp_path / "a.lock"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.0005)
                inside[0] -= 1
                done[0] += 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, done) == ([1], [120])
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for one process on Windows")
def test_waiting_ends_with_control_c_and_the_lock_stays(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rsedu.io.locks import locked\n"
        "with locked(Path(sys.argv[1]), lambda: print('waiting', flush=True)): print('inside')"
    )
    lock = tmp_path / "a.lock"
    with locked(lock):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None and process.stdout.readline() == b"waiting\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert out == b"" and b"KeyboardInterrupt" in err
        assert lock.exists()
