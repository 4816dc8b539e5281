from collections.abc import Callable

import numpy as np
import pytest
import torch

from rsedu.errors import InputError
from rsedu.segment import oneshot
from rsedu.segment.answer import Answer
from rsedu.segment.embedding import Embedded
from rsedu.segment.prompt import Prompt
from rsedu.segment.sam import Segmenter
from rsedu.segment.tiles import Tile


def _logits(*levels: float) -> torch.Tensor:
    """Masks that differ in where they are object: rows 0 to 3, 0 to 7, 0 to 11 of 16."""
    planes = torch.full((3, 16, 16), -4.0)
    for number, rows in enumerate((4, 8, 12)):
        planes[number, :rows] = levels[number] if levels else 4.0
    return planes


@pytest.mark.parametrize("right", [0, 1, 2])
def test_weights_go_to_the_mask_that_is_right(right: int) -> None:
    logits = _logits()
    weights = oneshot.solve_weights(logits, (logits[right] > 0).float())
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert int(weights.argmax()) == right
    assert weights[right] > 0.5


def test_weights_are_those_of_the_published_loop() -> None:
    torch.manual_seed(3)
    logits, truth = torch.randn(3, 9, 9), (torch.rand(9, 9) < 0.4).float()
    pair = torch.nn.Parameter(torch.ones(2, 1) / 3)
    optimizer = torch.optim.AdamW([pair], lr=1e-3, eps=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50)
    for _ in range(50):
        whole = torch.cat((1 - pair.sum(0, keepdim=True), pair), dim=0)
        flat = (logits.flatten(1) * whole).sum(0)
        chance = flat.sigmoid()
        target = truth.flatten()
        dice = 1 - (2 * (chance * target).sum() + 1) / (chance.sum() + target.sum() + 1)
        p_t = chance * target + (1 - chance) * (1 - target)
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(
            flat, target, reduction="none"
        )
        focal = (entropy * (1 - p_t) ** 2 * (0.25 * target + 0.75 * (1 - target))).mean()
        optimizer.zero_grad()
        (dice + focal).backward()
        optimizer.step()
        schedule.step()
    expected = torch.cat((1 - pair.sum(0, keepdim=True), pair), dim=0)[:, 0].detach()
    np.testing.assert_allclose(
        oneshot.solve_weights(logits, truth, steps=50), expected, rtol=1e-4, atol=1e-5
    )


class _Spied:
    """Keeps every prompt that an embedded image is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prompts: list[Prompt] = []
        self.singles: list[bool] = []
        self.models: list[object] = []
        self.answers: list[Answer] = []
        original: Callable[..., Answer] = Embedded.ask

        def ask(
            embedded: Embedded,
            tile: Tile,
            prompt: Prompt,
            *,
            model: object = None,
            single: bool = False,
        ) -> Answer:
            answer = original(embedded, tile, prompt, model=model, single=single)
            self.prompts.append(prompt)
            self.singles.append(single)
            self.models.append(model)
            self.answers.append(answer)
            return answer

        monkeypatch.setattr(Embedded, "ask", ask)


def _example(segmenter: Segmenter, image: np.ndarray) -> tuple[Embedded, oneshot.Reference]:
    embedded = segmenter.embed(image)
    mask = np.zeros((128, 128), dtype=bool)
    mask[30:70, 50:100] = True
    return embedded, oneshot.describe(embedded, mask)


def test_persam_makes_its_three_passes(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    fine = oneshot.similarity(embedded, reference.target)
    spied = _Spied(monkeypatch)
    found = oneshot.persam(embedded, reference)
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
    oneshot.persam_f(embedded, reference, weights)
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
    fine = oneshot.similarity(embedded, reference.strongest)
    mask = np.zeros((128, 128), dtype=bool)
    mask[30:70, 50:100] = True
    spied, given = _Spied(monkeypatch), {}

    def solve(logits: torch.Tensor, truth: torch.Tensor, **_: object) -> np.ndarray:
        given.update(logits=logits, truth=truth)
        return np.ones(3, dtype=np.float32)

    monkeypatch.setattr(oneshot, "solve_weights", solve)
    oneshot.fit_weights(embedded, mask, reference)
    row, col = np.unravel_index(fine.argmax(), fine.shape)
    assert [prompt.points for prompt in spied.prompts] == [((float(col), float(row)),)]
    np.testing.assert_array_equal(given["logits"], spied.answers[0].logits)
    assert given["truth"].shape == (64, 64)
    np.testing.assert_array_equal(given["truth"], mask.reshape(64, 2, 64, 2).mean(axis=(1, 3)))


def _scripted(monkeypatch: pytest.MonkeyPatch, objects: list[tuple[slice, slice, float]]) -> None:
    """PerSAM that finds given objects, the most similar first, where they are still free."""

    def persam(
        embedded: Embedded,
        reference: oneshot.Reference,
        *,
        tile: Tile,
        free: np.ndarray,
    ) -> oneshot.Found:
        for rows, cols, similarity in sorted(objects, key=lambda each: -each[2]):
            mask = np.zeros(embedded.shape, dtype=bool)
            mask[rows, cols] = True
            inside = np.zeros(embedded.shape, dtype=bool)
            inside[tile.window] = mask[tile.window]
            if (inside[tile.window] & free).any():
                return oneshot.Found(mask=inside, score=0.9, similarity=0.3, peak=similarity)
        return oneshot.Found(
            mask=np.zeros(embedded.shape, dtype=bool), score=0.0, similarity=-1.0, peak=-1.0
        )

    monkeypatch.setattr(oneshot, "persam", persam)


def test_find_stops_at_the_threshold(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    boxes = [(slice(0, 20), slice(0, 20), 0.9), (slice(50, 90), slice(60, 90), 0.7)]
    boxes.append((slice(100, 120), slice(0, 30), 0.2))
    _scripted(monkeypatch, boxes)
    found = oneshot.find(embedded, reference, method="persam", threshold=0.5, closer=False)
    assert [each.peak for each in found] == [0.9, 0.7]
    assert [int(each.mask.sum()) for each in found] == [400, 1200]
    assert len(oneshot.find(embedded, reference, method="persam", threshold=0.1, closer=False)) == 3
    assert (
        len(oneshot.find(embedded, reference, method="persam", threshold=0.1, most=1, closer=False))
        == 1
    )
    assert oneshot.find(embedded, reference, method="persam", threshold=0.95) == ()


def test_what_two_tiles_found_counts_once(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.zeros((128, 220, 3), dtype=np.uint8)
    embedded = segmenter.embed(image)
    shared = (slice(40, 60), slice(100, 120), 0.8)  # in the overlap of both tiles
    _scripted(monkeypatch, [shared, (slice(0, 10), slice(200, 220), 0.6)])
    reference = oneshot.Reference(
        target=torch.ones(128), strongest=torch.ones(128), inside=1.0, outside=0.0
    )
    assert len(embedded.tiles) == 2
    assert [
        each.peak
        for each in oneshot.find(embedded, reference, method="persam", threshold=0.5, closer=False)
    ] == [
        0.8,
        0.6,
    ]


def test_a_closer_look_replaces_a_mask_only_where_it_agrees(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    _scripted(monkeypatch, [(slice(10, 30), slice(10, 40), 0.9)])
    seen: list[Prompt] = []

    def predict(_: Embedded, prompt: Prompt) -> Answer:
        seen.append(prompt)
        mask = np.zeros((3, 128, 128), dtype=bool)
        mask[:, 10:30, 12:38] = True
        if len(seen) > 1:
            mask = ~mask
        return Answer(
            masks=mask,
            scores=np.array([0.1, 0.8, 0.3], dtype=np.float32),
            logits=np.zeros((3, 64, 64), dtype=np.float32),
        )

    monkeypatch.setattr(Embedded, "predict", predict)
    (closer,) = oneshot.find(embedded, reference, method="persam", threshold=0.5)
    (kept,) = oneshot.find(embedded, reference, method="persam", threshold=0.5)
    assert seen[0].box == (10.0, 10.0, 40.0, 30.0)
    assert (int(closer.mask.sum()), int(kept.mask.sum())) == (520, 600)
    assert closer.peak == kept.peak == 0.9
    assert closer.score == pytest.approx(0.8)


def test_a_click_is_the_most_similar_pixel_that_is_free(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reference = _example(segmenter, image)
    fine = oneshot.similarity(embedded, reference.target)
    free = np.zeros((128, 128), dtype=bool)
    free[90:, :40] = True
    spied = _Spied(monkeypatch)
    found = oneshot.clicked(embedded, reference, free=free)
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

        def way(*_: object, name: str = name, **__: object) -> oneshot.Found:
            called.append(name)
            return oneshot.Found(
                mask=np.zeros((128, 128), dtype=bool), score=0.0, similarity=0.0, peak=0.0
            )

        monkeypatch.setattr(oneshot, name, way)
    oneshot.find(embedded, reference)
    oneshot.find(embedded, reference, method="persam")
    oneshot.find(embedded, reference, method="persam_f", weights=np.ones(3, dtype=np.float32))
    assert called == ["clicked", "persam", "persam_f"]
    with pytest.raises(InputError, match="needs the weights"):
        oneshot.find(embedded, reference, method="persam_f")
