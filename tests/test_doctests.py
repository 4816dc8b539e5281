"""The examples in the docstrings of what a researcher imports first say what is true."""

import doctest
from importlib import import_module
from pkgutil import resolve_name

import pytest

EXAMPLES = (
    "rsedu.blocks.patches.patchify",
    "rsedu.blocks.position.alibi_2d",
    "rsedu.blocks.position.gsd_sincos_2d",
    "rsedu.evaluation.intervals.interval",
    "rsedu.evaluation.neighbours.knn_predict",
    "rsedu.evaluation.retrieval.recall_at_k",
    "rsedu.models.mae.MAE",
    "rsedu.models.scalemae.ScaleMAE",
    "rsedu.scenes.grid.Grid",
    "rsedu.scenes.grid.hectares",
    "rsedu.scenes.indices.ndvi",
    "rsedu.scenes.scene.Scene",
    "rsedu.zoo.load",
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_it_shows(name: str) -> None:
    thing = resolve_name(name)
    globals_ = dict(vars(import_module(thing.__module__)))
    (example,) = doctest.DocTestFinder(recurse=False).find(thing, name, globs=globals_)
    assert example.examples, f"{name} has no example"
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=report.append)
    assert not report, "".join(report)
