from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from rsedu.segment.embedding import Embedded
from rsedu.segment.oneshot import Match, Reference, embed_example, search, similarity
from rsedu.segment.prompt import Prediction, Prompt
from rsedu.segment.sam import Segmenter
from rsedu.segment.tiles import Tile

Example = tuple[Embedded, Reference]


def _scripted(monkeypatch: pytest.MonkeyPatch, objects: list[tuple[slice, slice, float]]) -> None:
    """Given objects, each as similar as it says; a click on one gives its mask."""
    asked = np.full((128, 220), -1.0, dtype=np.float32)
    for rows, cols, likeness in objects:
        asked[rows, cols] = likeness

    def resemblance(looks: list[tuple[Embedded, torch.Tensor]], *, tile: Tile) -> np.ndarray:
        assert len(looks) == 1
        return asked[tile.window]

    def clicked(
        embedded: Embedded, reference: Reference, *, tile: Tile, free: np.ndarray, fine: np.ndarray
    ) -> Match:
        peak = np.where(free, fine, -np.inf).max()
        mask = np.zeros(embedded.shape, dtype=bool)
        for rows, cols, likeness in objects:
            if likeness == pytest.approx(peak):
                mask[rows, cols] = True
        inside = np.zeros(embedded.shape, dtype=bool)
        inside[tile.window] = mask[tile.window]
        return Match(mask=inside, score=0.9, similarity=float(peak), peak=float(peak))

    monkeypatch.setattr(search, "resemblance", resemblance)
    monkeypatch.setattr(search, "clicked", clicked)


def test_find_stops_at_the_threshold(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded, reference = example
    boxes = [(slice(0, 20), slice(0, 20), 0.9), (slice(50, 90), slice(60, 90), 0.7)]
    boxes.append((slice(100, 120), slice(0, 30), 0.2))
    _scripted(monkeypatch, boxes)

    def find(threshold: float, most: int = 16) -> list[tuple[float, int]]:
        found = search.find(embedded, reference, threshold=threshold, most=most, closer=False)
        return [(round(each.peak, 3), int(each.mask.sum())) for each in found]

    assert find(0.5) == [(0.9, 400), (0.7, 1200)]
    assert find(0.1) == [(0.9, 400), (0.7, 1200), (0.2, 600)]
    assert find(0.1, most=1) == [(0.9, 400)]
    assert find(0.95) == []


def test_what_two_tiles_found_counts_once(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.zeros((128, 220, 3), dtype=np.uint8)
    embedded = segmenter.embed(image)
    shared = (slice(40, 60), slice(100, 120), 0.8)  # in the overlap of both tiles
    _scripted(monkeypatch, [shared, (slice(0, 10), slice(200, 220), 0.6)])
    reference = Reference(target=torch.ones(128), strongest=torch.ones(128))
    assert len(embedded.tiles) == 2
    found = search.find(embedded, reference, threshold=0.5, closer=False)
    assert [round(each.peak, 3) for each in found] == [0.8, 0.6]


def test_the_surest_comes_first(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded, reference = example
    _scripted(monkeypatch, [(slice(0, 20), slice(0, 20), 0.9), (slice(50, 90), slice(60, 90), 0.7)])
    unsure = search.clicked

    def clicked(*given: Any, **named: Any) -> Match:
        found = unsure(*given, **named)
        return replace(found, score=0.2 if found.peak > 0.8 else 0.9)

    monkeypatch.setattr(search, "clicked", clicked)
    found = search.find(embedded, reference, threshold=0.5, closer=False)
    assert [round(each.confidence, 3) for each in found] == [0.63, 0.18]


def test_what_was_found_is_clicked_again_in_its_middle(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = example
    _scripted(monkeypatch, [(slice(10, 30), slice(10, 41), 0.9)])
    seen: list[Prompt] = []

    def predict(_: Embedded, prompt: Prompt) -> Prediction:
        seen.append(prompt)
        mask = np.zeros((3, 128, 128), dtype=bool)
        mask[:, 50:71, 10:31] = True
        return Prediction(
            masks=mask,
            scores=np.array([0.1, 0.8, 0.3], dtype=np.float32),
            logits=np.zeros((3, 64, 64), dtype=np.float32),
        )

    monkeypatch.setattr(Embedded, "predict", predict)
    (found,) = search.find(embedded, reference, threshold=0.5, most=1)
    assert [prompt.points for prompt in seen] == [((19.0, 19.0),), ((20.0, 60.0),)]
    assert int(found.mask.sum()) == 441 and found.peak == pytest.approx(0.9)
    assert found.score == pytest.approx(0.8) and found.similarity == pytest.approx(-1.0)


def test_a_mask_that_was_missed_is_not_clicked_for_ever(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = example
    clicks: list[tuple[float, float]] = []

    def nothing(
        embedded: Embedded, reference: Reference, *, free: np.ndarray, **named: Any
    ) -> Match:
        row, col = np.unravel_index(np.where(free, named["fine"], -np.inf).argmax(), free.shape)
        clicks.append((float(col), float(row)))
        empty = np.zeros((128, 128), dtype=bool)
        return Match(mask=empty, score=0.0, similarity=-1.0, peak=0.0)

    monkeypatch.setattr(search, "clicked", nothing)
    assert search.find(embedded, reference, threshold=-1, most=9) == ()
    assert len(clicks) == 9
    for at, one in enumerate(clicks):
        for other in clicks[:at]:
            assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) > 8


def test_several_looks_are_averaged(
    example: Example, segmenter: Segmenter, image: np.ndarray, square: np.ndarray, spied: Any
) -> None:
    embedded, reference = example
    other = segmenter.embed(np.ascontiguousarray(image[:, ::-1]))
    described = embed_example(other, square)
    search.find(embedded, reference, more=[(other, described)], threshold=-1, most=1, closer=False)
    both = similarity(embedded, reference.target)
    both = (both + similarity(other, described.target)) / 2
    ((col, row),) = spied.prompts[0].points
    assert both[int(row), int(col)] == pytest.approx(both.max(), abs=1e-6)


@pytest.mark.parametrize(("shared", "count"), [(200, 1), (199, 2)])
def test_matches_that_share_half_are_one(
    example: Example, monkeypatch: pytest.MonkeyPatch, shared: int, count: int
) -> None:
    masks = np.zeros((2, 128 * 128), dtype=bool)
    masks[0, :300], masks[1, 300 - shared : 600 - shared] = True, True  # IoU 200 / 400
    matches = [
        Match(mask=mask.reshape(128, 128), score=1.0, similarity=1.0, peak=1.0) for mask in masks
    ]
    monkeypatch.setattr(search, "_in_tile", lambda *_: matches)
    assert len(search.find(*example)) == count
