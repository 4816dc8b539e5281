"""What canvas.js reads and writes is what the kernel has."""

import re

from rsedu.widget.canvas import Canvas

SOURCE = str(Canvas._esm)


def test_the_browser_knows_the_traits_by_their_names():
    used = set(re.findall(r"model\.[sg]et\('(\w+)'", SOURCE))
    used |= set(re.findall(r"'change:(\w+)'", SOURCE))
    synced = {name for name in Canvas.class_traits(sync=True) if not name.startswith("_")}
    own = synced - {"layout", "tabbable", "tooltip", "comm", "keys"}
    assert used | {"mask", "kept"} == own


def test_what_it_says_of_itself_is_the_same_at_each_run():
    assert repr(Canvas(rows=3, cols=5)) == "Canvas(3 x 5 px)"


def test_nothing_is_fetched_from_elsewhere():
    assert not re.search(r"https?://|import\s", SOURCE)
