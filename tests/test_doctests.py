"""The examples in docstrings give what they say."""

import doctest
from importlib import import_module

import pytest

NAMES = [
    "rsedu.scenes.grid.Grid",
    "rsedu.scenes.grid.hectares",
    "rsedu.scenes.indices.ndvi",
    "rsedu.scenes.scene.Scene",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of(name: str) -> None:
    module_name, _, attribute = name.rpartition(".")
    module = import_module(module_name)
    (test,) = doctest.DocTestFinder(recurse=False).find(
        getattr(module, attribute), name, module, vars(module)
    )
    result = doctest.DocTestRunner().run(test)
    assert result.attempted and not result.failed
