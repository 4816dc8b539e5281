"""Executors: where independent calls run, in threads, in processes or on a Dask cluster."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from rsedu.errors import InputError, MissingExtraError

Item = TypeVar("Item")
Value = TypeVar("Value")


def usable_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def local(workers: int, *, processes: bool = False) -> Iterator[tuple[Executor, int]]:
    """Threads of this process, or processes; at the end what has not begun is dropped.

    Args:
        workers: how many calls at a time.
        processes: whether each call needs a core, as maths in numpy does, and can be pickled.

    Returns:
        The executor, and how many calls it runs at a time.
    """
    executor: Executor
    if processes:
        executor = ProcessPoolExecutor(
            workers,
            multiprocessing.get_context("spawn"),  # a fork would copy torch's threads half
            initializer=signal.signal,
            initargs=(signal.SIGINT, signal.SIG_IGN),  # Ctrl-C is the caller's
        )
    else:
        executor = ThreadPoolExecutor(workers)
    try:
        yield executor, workers
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """The workers of a Dask cluster, which need rsedu too.

    Args:
        address: its scheduler's, such as "tcp://10.0.0.5:8786".

    Returns:
        The executor, and how many calls it runs at a time.

    Raises:
        MissingExtraError: Dask is not installed.
        InputError: nothing answers at the address, or it has no workers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError(
            "A cluster needs Dask, which is not installed: pip install 'rsedu[cluster]'."
        ) from error
    try:
        # Dask has no annotations.
        client: Any = Client(address, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address} ({type(error).__name__}): start one with "
            "`dask scheduler`, and give its tcp:// address."
        ) from error
    with client:
        workers = sum(client.nthreads().values())
        if not workers:
            raise InputError(f"The cluster at {address} has no workers: start some, `dask worker`.")
        yield client.get_executor(pure=False), workers


def chosen(
    address: str | None, workers: int | None
) -> AbstractContextManager[tuple[Executor, int]]:
    """Choose by a command's options: `cluster` where an address is given, else `local`.

    Args:
        address: a Dask scheduler's.
        workers: threads; as many as there are cores where None.
    """
    return local(workers or usable_cores()) if address is None else cluster(address)


def as_finished(
    executor: Executor | None,
    call: Callable[[Item], Value],
    items: Iterable[Item],
    *,
    ahead: int,
) -> Iterator[tuple[Item, "Future[Value]"]]:
    """Call with each item, and yield each as soon as its call has ended.

    Args:
        executor: where calls run; None: here, one after the other, and errors are raised here.
        call: what to do; for a cluster, something that can be pickled.
        items: taken one by one.
        ahead: how many may wait or run, so that no more items are in memory.
    """
    waiting: dict[Future[Value], Item] = {}

    def ended() -> Iterator[tuple[Item, Future[Value]]]:
        wait(waiting, return_when=FIRST_COMPLETED)
        for future in [future for future in waiting if future.done()]:
            yield waiting.pop(future), future

    try:
        for item in items:
            if executor is None:
                future: Future[Value] = Future()
                future.set_result(call(item))
                yield item, future
                continue
            waiting[executor.submit(call, item)] = item
            if len(waiting) >= ahead:
                yield from ended()
        while waiting:
            yield from ended()
    finally:
        for future in waiting:
            future.cancel()
