"""Progress bars: a widget in notebooks, text in terminals, nothing where TQDM_DISABLE is set."""

import os
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm


def progress_bar(
    items: Iterable[Any] | None = None, *, hidden: bool = False, **settings: Any
) -> "tqdm[Any]":
    """Count items as they pass, with the time that is left.

    tqdm's widget shows itself whatever TQDM_DISABLE says; this one does not.

    Args:
        items: what to go through; None: call ``update`` by hand.
        hidden: whether to show nothing.
        settings: of `tqdm.tqdm`, such as ``total``, ``unit`` and ``desc``.
    """
    switched_off = os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    return tqdm(items, disable=hidden or switched_off, **settings)
