"""Executors: bounded, dropped when left, and told in words where there is none."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from rsedu.errors import InputError, MissingExtraError
from rsedu.io import executor


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_each_item_comes_back_with_its_value(workers: int | None) -> None:
    if workers is None:
        done = list(executor.as_finished(None, str, range(9), ahead=2))
        assert [item for item, _ in done] == list(range(9))
    else:
        with executor.local(workers) as (pool, count):
            assert count == workers
            done = list(executor.as_finished(pool, str, range(9), ahead=2))
    assert {item: future.result() for item, future in done} == {n: str(n) for n in range(9)}


def test_no_more_items_are_taken_than_may_wait() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    with executor.local(1) as (pool, _):
        for done, _ in enumerate(executor.as_finished(pool, str, items(), ahead=3), start=1):
            assert len(taken) <= done + 3
    assert len(taken) == 10


def test_what_has_not_begun_when_the_caller_leaves_is_dropped() -> None:
    begun, go = [], threading.Event()

    def call(number: int) -> None:
        begun.append(number)
        if number:
            go.wait(20)

    with executor.local(1) as (pool, _):
        with pytest.raises(KeyboardInterrupt):
            for _ in executor.as_finished(pool, call, range(50), ahead=50):
                raise KeyboardInterrupt
        go.set()
    assert len(begun) <= 2


def test_the_options_of_a_command_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7}, raising=False)
    for workers, wanted in ((None, 3), (5, 5)):
        with executor.chosen(None, workers) as (_, count):
            assert count == wanted
    monkeypatch.delattr(os, "sched_getaffinity")
    assert executor.usable_cores() == os.cpu_count()


def _enter(context: AbstractContextManager[Any]) -> None:
    with context:
        pass


def test_a_cluster_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="No Dask scheduler answers at nonsense"):
        _enter(executor.cluster("nonsense://x"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'rsedu\[cluster\]'"):
        _enter(executor.cluster("tcp://127.0.0.1:1"))
