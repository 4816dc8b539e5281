from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from rsedu.errors import InputError
from rsedu.segment.answer import Prediction
from rsedu.segment.embedding import Embedded
from rsedu.segment.oneshot import search
from rsedu.segment.prompt import Prompt
from rsedu.segment.sam import Segmenter
from rsedu.segment.tiles import Tile


class _Spied:
    """Keeps every prompt that an embedded image is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prompts: list[Prompt] = []
        self.singles: list[bool] = []
        self.models: list[object] = []
        self.answers: list[Prediction] = []
        original: Callable[..., Prediction] = Embedded.ask

        def ask(
            embedded: Embedded,
            tile: Tile,
            prompt: Prompt,
            *,
            model: object = None,
            single: bool = False,
        ) -> Prediction:
            answer = original(embedded, tile, prompt, model=model, single=single)
            self.prompts.append(prompt)
            self.singles.append(single)
            self.models.append(model)
            self.answers.append(answer)
            return answer

        monkeypatch.setattr(Embedded, "ask", ask)


def _example(segmenter: Segmenter, image: np.ndarray) -> tuple[Embedded, search.Reference]:
    embedded = segmenter.embed(image)
    mask = np.zeros((128, 128), dtype=bool)
    mask[30:70, 50:100] = True
    return embedded, search.embed_example(embedded, mask)


def test_persam_makes_its_three_passes(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    fine = search.similarity(embedded, reference.target)
    spied = _Spied(monkeypatch)
    found = search.persam(embedded, reference)
    first, second, third = spied.prompts
    (top_col, top_row), (low_col, low_row) = first.points
    assert fine[int(top_row), int(top_col)] == fine.max()
    assert fine[int(low_row), int(low_col)] == fine.min()
    assert first.labels == (1, 0) and first.mask is None and first.box is None
    assert spied.singles == [True, False, False]
    assert spied.models[0] is not None and spied.models[1:] == [None, None]
    np.testing.assert_array_equal(second.mask, spied.answers[0].logits[0])
    middle = spied.answers[1]
    np.testing.assert_array_equal(third.mask, middle.logits[middle.best])
    rows, cols = np.nonzero(middle.mask)
    assert third.box == (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)
    np.testing.assert_array_equal(found.mask, spied.answers[2].mask)
    assert found.similarity == pytest.approx(float(fine[found.mask].mean()))
    assert found.peak == pytest.approx(float(fine.max()))


def test_persam_f_mixes_the_three_masks_first(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    weights = np.array([0.5, 0.2, 0.3], dtype=np.float32)
    spied = _Spied(monkeypatch)
    search.persam_f(embedded, reference, weights)
    first, second, third = spied.prompts
    assert first.labels == (1,) and not any(spied.singles)
    mixed = sum(
        weight * plane for weight, plane in zip(weights, spied.answers[0].logits, strict=True)
    )
    np.testing.assert_allclose(second.mask, mixed, rtol=1e-5, atol=1e-6)
    assert second.points == third.points == first.points
    middle = spied.answers[1]
    np.testing.assert_array_equal(third.mask, middle.logits[middle.best])


def test_weights_are_fitted_to_the_reference_itself(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    fine = search.similarity(embedded, reference.strongest)
    mask = np.zeros((128, 128), dtype=bool)
    mask[30:70, 50:100] = True
    spied, given = _Spied(monkeypatch), {}

    def solve(logits: torch.Tensor, truth: torch.Tensor, **_: object) -> np.ndarray:
        given.update(logits=logits, truth=truth)
        return np.ones(3, dtype=np.float32)

    monkeypatch.setattr(search, "solve_weights", solve)
    search.fit_weights(embedded, mask, reference)
    row, col = np.unravel_index(fine.argmax(), fine.shape)
    assert [prompt.points for prompt in spied.prompts] == [((float(col), float(row)),)]
    np.testing.assert_array_equal(given["logits"], spied.answers[0].logits)
    assert given["truth"].shape == (64, 64)
    np.testing.assert_array_equal(given["truth"], mask.reshape(64, 2, 64, 2).mean(axis=(1, 3)))


def test_weights_of_a_ring_are_learnt_where_the_ring_is(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    embedded = segmenter.embed(noise)
    ring = np.zeros((300, 300), dtype=bool)
    ring[60:240, 60:240] = True
    ring[76:224, 76:224] = False
    truths: list[torch.Tensor] = []

    def solve(logits: torch.Tensor, truth: torch.Tensor, **_: float) -> np.ndarray:
        truths.append(truth)
        return np.full(3, 1 / 3, dtype=np.float32)

    monkeypatch.setattr(search, "solve_weights", solve)
    reference = search.embed_example(embedded, ring)
    search.fit_weights(embedded, ring, reference)
    assert truths[0].max() > 0.9
    with pytest.raises(InputError, match="the image"):
        search.fit_weights(embedded, ring[:200], reference)


def _scripted(monkeypatch: pytest.MonkeyPatch, objects: list[tuple[slice, slice, float]]) -> None:
    """Given objects, each as similar as it says; a click on one gives its mask."""
    asked = np.full((128, 220), -1.0, dtype=np.float32)
    for rows, cols, similarity in objects:
        asked[rows, cols] = similarity

    def resemblance(looks: list[tuple[Embedded, torch.Tensor]], *, tile: Tile) -> np.ndarray:
        assert len(looks) == 1
        return asked[tile.window]

    def persam(
        embedded: Embedded,
        reference: search.Reference,
        *,
        tile: Tile,
        free: np.ndarray,
        fine: np.ndarray,
    ) -> search.Match:
        peak = np.where(free, fine, -np.inf).max()
        mask = np.zeros(embedded.shape, dtype=bool)
        for rows, cols, similarity in objects:
            if similarity == pytest.approx(peak):
                mask[rows, cols] = True
        inside = np.zeros(embedded.shape, dtype=bool)
        inside[tile.window] = mask[tile.window]
        return search.Match(mask=inside, score=0.9, similarity=float(peak), peak=float(peak))

    monkeypatch.setattr(search, "resemblance", resemblance)
    monkeypatch.setattr(search, "persam", persam)


def test_find_stops_at_the_threshold(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    boxes = [(slice(0, 20), slice(0, 20), 0.9), (slice(50, 90), slice(60, 90), 0.7)]
    boxes.append((slice(100, 120), slice(0, 30), 0.2))
    _scripted(monkeypatch, boxes)

    def find(threshold: float, most: int = 16) -> list[tuple[float, int]]:
        found = search.find(
            embedded, reference, method="persam", threshold=threshold, most=most, closer=False
        )
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
    reference = search.Reference(
        target=torch.ones(128), strongest=torch.ones(128), inside=1.0, outside=0.0
    )
    assert len(embedded.tiles) == 2
    found = search.find(embedded, reference, method="persam", threshold=0.5, closer=False)
    assert [round(each.peak, 3) for each in found] == [0.8, 0.6]


def test_the_surest_comes_first(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    _scripted(monkeypatch, [(slice(0, 20), slice(0, 20), 0.9), (slice(50, 90), slice(60, 90), 0.7)])
    unsure = search.persam

    def persam(*given: Any, **named: Any) -> search.Match:
        found = unsure(*given, **named)
        return replace(found, score=0.2 if found.peak > 0.8 else 0.9)

    monkeypatch.setattr(search, "persam", persam)
    found = search.find(embedded, reference, method="persam", threshold=0.5, closer=False)
    assert [round(each.confidence, 3) for each in found] == [0.63, 0.18]


def test_what_was_found_is_clicked_again_in_its_middle(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
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
    (found,) = search.find(embedded, reference, method="persam", threshold=0.5, most=1)
    assert [prompt.points for prompt in seen] == [((19.0, 19.0),), ((20.0, 60.0),)]
    assert int(found.mask.sum()) == 441 and found.peak == pytest.approx(0.9)
    assert found.score == pytest.approx(0.8) and found.similarity == pytest.approx(-1.0)


def test_a_mask_that_was_missed_is_not_clicked_for_ever(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    clicks: list[tuple[float, float]] = []

    def nothing(
        embedded: Embedded, reference: search.Reference, *, free: np.ndarray, **named: Any
    ) -> search.Match:
        row, col = np.unravel_index(np.where(free, named["fine"], -np.inf).argmax(), free.shape)
        clicks.append((float(col), float(row)))
        empty = np.zeros((128, 128), dtype=bool)
        return search.Match(mask=empty, score=0.0, similarity=-1.0, peak=0.0)

    monkeypatch.setattr(search, "clicked", nothing)
    assert search.find(embedded, reference, threshold=-1, most=9) == ()
    assert len(clicks) == 9
    for at, one in enumerate(clicks):
        for other in clicks[:at]:
            assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) > 8


def test_several_looks_are_averaged(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    other, described = _example(segmenter, np.ascontiguousarray(image[:, ::-1]))
    spied = _Spied(monkeypatch)
    search.find(embedded, reference, more=[(other, described)], threshold=-1, most=1, closer=False)
    both = search.similarity(embedded, reference.target)
    both = (both + search.similarity(other, described.target)) / 2
    ((col, row),) = spied.prompts[0].points
    assert both[int(row), int(col)] == pytest.approx(both.max(), abs=1e-6)


def test_a_click_is_the_most_similar_pixel_that_is_free(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    fine = search.similarity(embedded, reference.target)
    free = np.zeros((128, 128), dtype=bool)
    free[90:, :40] = True
    spied = _Spied(monkeypatch)
    found = search.clicked(embedded, reference, free=free)
    ((col, row),) = spied.prompts[0].points
    assert free[int(row), int(col)] and fine[int(row), int(col)] == fine[free].max()
    assert found.peak == pytest.approx(float(fine[free].max()))
    np.testing.assert_array_equal(found.mask, spied.answers[0].mask)


def test_each_method_is_the_one_that_was_asked_for(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    called: list[str] = []
    for name in ("clicked", "persam", "persam_f"):

        def way(*_: object, name: str = name, **__: object) -> search.Match:
            called.append(name)
            return search.Match(
                mask=np.zeros((128, 128), dtype=bool), score=0.0, similarity=0.0, peak=0.0
            )

        monkeypatch.setattr(search, name, way)
    search.find(embedded, reference, threshold=-1, most=1)
    search.find(embedded, reference, method="persam", threshold=-1, most=1)
    ones = np.ones(3, dtype=np.float32)
    search.find(embedded, reference, method="persam_f", weights=ones, threshold=-1, most=1)
    assert called == ["clicked", "persam", "persam_f"]
    with pytest.raises(InputError, match="needs the weights"):
        search.find(embedded, reference, method="persam_f")
