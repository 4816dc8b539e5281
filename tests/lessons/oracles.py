"""Oracles: each exercise's right numbers on a path of their own, by its id.

A lesson's are in the file `oracles.py` of its folder here: the kit's own function, another
library's, a closed form or brute force. None calls the reference. Only tests import them.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

_FILES = sorted(Path(__file__).parent.glob("*/oracles.py"))
ORACLES: dict[str, Any] = {
    id_: oracle
    for path in _FILES
    for id_, oracle in import_module(f"tests.lessons.{path.parent.name}.oracles").ORACLES.items()
}
