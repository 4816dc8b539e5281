from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from affine import Affine
from rasterio.crs import CRS
from segment_anything import SamPredictor

from rsedu.errors import InputError
from rsedu.scenes.grid import Grid
from rsedu.segment.embedding import Embedded
from rsedu.segment.prompt import Prediction, Prompt
from rsedu.segment.sam import Segmenter
from rsedu.segment.tiles import Tile

GRID = Grid(
    transform=Affine(10, 0, 400_000, 0, -10, 8_900_000), crs=CRS.from_epsg(32720), shape=(128, 128)
)


def _by_the_package(segmenter: Segmenter, image: np.ndarray, **prompt: object) -> tuple:
    predictor = SamPredictor(segmenter.model)
    predictor.set_image(image)
    return predictor.predict(**prompt)


def test_one_tile_gives_what_the_packages_predictor_gives(
    segmenter: Segmenter, image: np.ndarray
) -> None:
    answer = segmenter.embed(image, closer=False).predict(
        Prompt(points=((70, 50), (10, 100)), labels=(1, 0), box=(45, 25, 105, 75))
    )
    # Twice the pixels: the centre of pixel 70 lies at 141, and SAM adds half a pixel to what it
    # is given, having doubled it: (141 - 0.5) / 2 = 70.25.
    masks, scores, logits = _by_the_package(
        segmenter,
        image,
        point_coords=np.array([[70.25, 50.25], [10.25, 100.25]]),
        point_labels=np.array([1, 0]),
        box=np.array([45, 25, 105, 75]),
    )
    np.testing.assert_array_equal(answer.masks, masks)
    np.testing.assert_allclose(answer.scores, scores, rtol=1e-5)
    np.testing.assert_allclose(answer.logits, logits, rtol=1e-3, atol=1e-4)
    assert answer.logits.shape == (3, 64, 64)


def test_a_mask_refines(segmenter: Segmenter, image: np.ndarray) -> None:
    embedded = segmenter.embed(image, closer=False)
    prompt = Prompt(points=((70, 50),))
    first = embedded.predict(prompt)
    second = embedded.predict(replace(prompt, mask=first.logits[1]))
    expected = _by_the_package(
        segmenter,
        image,
        point_coords=np.array([[70.25, 50.25]]),
        point_labels=np.array([1]),
        mask_input=first.logits[1:2],
    )
    np.testing.assert_allclose(second.logits, expected[2], rtol=1e-3, atol=1e-4)
    assert not np.allclose(second.logits, first.logits)


def test_map_and_pixels_are_the_same_prompt(segmenter: Segmenter, image: np.ndarray) -> None:
    embedded = replace(segmenter.embed(image), grid=GRID)
    ours = embedded.predict(Prompt(points=((30, 20),), box=(10, 5, 50, 60)))
    box = (400_100, 8_899_400, 400_500, 8_899_950)
    theirs = embedded.predict(Prompt(points=((400_305, 8_899_795),), box=box, frame="map"))
    np.testing.assert_array_equal(ours.logits, theirs.logits)
    assert ours.grid == GRID


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (Prompt(points=((128, 5),)), "outside an image of 128 rows"),
        (Prompt(box=(-9, 0, 0, 9)), "outside"),
        (Prompt(points=((1, 1),), frame="map"), "no place"),
        (Prompt(points=((1, 1),), mask=np.zeros((32, 32))), "side of 32"),
    ],
)
def test_what_does_not_fit_the_image_is_refused(
    segmenter: Segmenter, image: np.ndarray, prompt: Prompt, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        segmenter.embed(image).predict(prompt)


def test_embeddings_come_back_from_the_disk(
    segmenter: Segmenter, image: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caching = replace(segmenter, cache=tmp_path)
    first = caching.embed(image).predict(Prompt(points=((70, 50),)))

    def no_encoder(_: torch.Tensor) -> torch.Tensor:
        raise AssertionError("the encoder ran again")

    monkeypatch.setattr(caching.model.image_encoder, "forward", no_encoder)
    second = caching.embed(image).predict(Prompt(points=((70, 50),)))
    np.testing.assert_array_equal(first.logits, second.logits)
    with pytest.raises(AssertionError, match="ran again"):
        caching.embed(image[::-1].copy())
    monkeypatch.undo()
    (path,) = tmp_path.iterdir()
    for wrong in (np.ones((128, 16, 16)), np.ones((16, 16), dtype=np.float32)):
        np.save(path, wrong)  # no embedding: it is made again
        again = caching.embed(image).predict(Prompt(points=((70, 50),)))
        np.testing.assert_array_equal(first.logits, again.logits)


def test_other_pixels_sizes_and_weights_have_other_files(
    segmenter: Segmenter, image: np.ndarray, tmp_path: Path
) -> None:
    assert segmenter.embed(image)._stored_at(image) is None
    embedded = replace(segmenter, cache=tmp_path).embed(image)
    one_pixel = image.copy()
    one_pixel[3, 3, 1] ^= 1
    paths = {
        embedded._stored_at(pixels) for pixels in (image, one_pixel, image.reshape(64, 256, 3))
    }
    paths.add(replace(embedded, weights="other")._stored_at(image))
    assert len(paths) == 4


def test_many_threads_get_what_one_gets(segmenter: Segmenter, image: np.ndarray) -> None:
    embedded = segmenter.embed(image)
    prompts = [Prompt(points=((10 * number, 60),)) for number in range(1, 9)]
    alone = [embedded.predict(prompt).logits for prompt in prompts]
    with ThreadPoolExecutor(len(prompts)) as pool:
        together = [answer.logits for answer in pool.map(embedded.predict, prompts)]
    np.testing.assert_array_equal(together, alone)


class _Oracle(Embedded):
    """Answers with a known object instead of a model's guess, tile by tile."""

    def ask(
        self, tile: Tile, prompt: Prompt, *, model: object = None, single: bool = False
    ) -> Prediction:
        truth = (self.image[tile.window][..., 0] > 100).copy()
        if prompt.box is not None:
            left, top, right, bottom = (round(edge) for edge in prompt.box)
            kept = np.zeros_like(truth)
            kept[top:bottom, left:right] = truth[top:bottom, left:right]
            truth = kept
        else:
            for (col, row), label in zip(prompt.points, prompt.labels, strict=True):
                assert truth[round(row), round(col)] == label, "a click on the wrong side"
        masks = np.stack([truth & False, truth, truth])
        logits, scores = np.zeros((3, 64, 64), np.float32), np.array([0, 1, 0.5], np.float32)
        return Prediction(masks=masks, scores=scores, logits=logits)


def _oracle(segmenter: Segmenter, truth: np.ndarray, **settings: int) -> _Oracle:
    image = np.repeat((200 * truth).astype(np.uint8)[..., None], 3, axis=2)
    plain = segmenter.embed(image, **settings)
    return _Oracle(image=image, tiles=plain.tiles, model=plain.model)


def _wide(segmenter: Segmenter) -> tuple[_Oracle, np.ndarray]:
    """A bent band that runs over many tiles of an image of 300 x 260."""
    truth = np.zeros((300, 260), dtype=bool)
    truth[40:60, 20:240] = truth[40:280, 220:240] = True
    return _oracle(segmenter, truth, tile_px=100), truth


def test_a_mask_goes_on_from_tile_to_tile(segmenter: Segmenter) -> None:
    embedded, truth = _wide(segmenter)
    answer = embedded.predict(Prompt(points=((30, 50), (150, 150)), labels=(1, 0)))
    assert len(embedded.tiles) > 9 and answer.best == 1
    np.testing.assert_array_equal(answer.masks[1], truth)
    assert not answer.masks[0].any()


def test_a_box_larger_than_a_tile_is_answered_in_parts(segmenter: Segmenter) -> None:
    embedded, truth = _wide(segmenter)
    answer = embedded.predict(Prompt(box=(15, 35, 245, 200)))
    expected = truth.copy()
    expected[200:] = False
    np.testing.assert_array_equal(answer.masks[1], expected)


def test_a_box_over_a_seam_is_not_cut_off(segmenter: Segmenter) -> None:
    embedded, truth = _wide(segmenter)
    # Narrower than a tile of 100 px; its middle, column 110, is deepest in columns 53 to 152.
    box = (65, 35, 155, 65)
    assert embedded.home(Prompt(box=box)).left + 100 < 155
    expected = np.zeros_like(truth)
    expected[35:65, 65:155] = truth[35:65, 65:155]
    np.testing.assert_array_equal(embedded.predict(Prompt(box=box)).masks[1], expected)


@pytest.mark.parametrize("closer", [False, True], ids=["tile", "look"])
def test_two_fields_that_are_clicked_are_both_in_the_mask(
    segmenter: Segmenter, closer: bool
) -> None:
    truth = np.zeros((300, 260), dtype=bool)
    truth[30:45, 20:40] = truth[240:260, 200:225] = True
    embedded = replace(_oracle(segmenter, truth, tile_px=100), closer=closer)
    first = Prompt(points=((30, 38),))
    both = first.click(50, 38, positive=False).click(210, 250).click(190, 250, positive=False)
    assert not embedded.predict(first).mask[250, 210]
    np.testing.assert_array_equal(embedded.predict(both).mask, truth)
    np.testing.assert_array_equal(embedded.predict(both).masks[2], truth)


def test_further_clicks_leave_the_tile_as_it_is(segmenter: Segmenter) -> None:
    embedded, _ = _wide(segmenter)
    prompt = Prompt(points=((30, 50),))
    assert embedded.home(prompt.click(230, 250)) == embedded.home(prompt)
    assert embedded.home(prompt).depth((30, 50), (300, 260)) >= 25
    negative_first = Prompt(points=((230, 250), (30, 50)), labels=(0, 1))
    assert embedded.home(negative_first) == embedded.home(prompt)


def _small(segmenter: Segmenter) -> tuple[_Oracle, np.ndarray]:
    """A field of 20 x 12 px in an image of many tiles."""
    truth = np.zeros((300, 260), dtype=bool)
    truth[120:140, 88:100] = True
    return _oracle(segmenter, truth), truth


@pytest.mark.parametrize(
    "prompt", [Prompt(points=((94, 130),)), Prompt(box=(88, 120, 100, 140))], ids=["click", "box"]
)
def test_a_small_object_gets_a_look_of_its_own(segmenter: Segmenter, prompt: Prompt) -> None:
    embedded, truth = _small(segmenter)
    look = embedded.home(prompt)  # the object's middle is (94, 130)
    assert (look.rows, look.cols) == (48, 48) and look not in embedded.tiles
    assert abs(look.left + 24 - 94) <= 4 and abs(look.top + 24 - 130) <= 4
    np.testing.assert_array_equal(embedded.predict(prompt).masks[1], truth)
    assert embedded.home(prompt) == look
    assert replace(embedded, closer=False).home(prompt) == embedded.around(prompt)


@pytest.mark.parametrize(
    ("box", "side"),
    [
        ((88, 120, 100, 140), 48),  # 1.6 sides are 32 px; no look is smaller than 48
        ((88, 120, 100, 150), 48),  # 1.6 times 30 is 48 itself
        ((88, 120, 100, 151), 56),  # 49.6 goes up to a multiple of 8
        ((60, 100, 120, 160), 96),
        ((60, 100, 124, 164), None),  # 102.4 goes up to 104, more than 0.8 of a tile's 128
        ((0, 0, 90, 90), None),
    ],
)
def test_a_look_is_1_6_sides_of_the_object(
    segmenter: Segmenter, box: tuple[int, int, int, int], side: int | None
) -> None:
    embedded, _ = _small(segmenter)
    look = embedded.home(Prompt(box=box))
    assert (look in embedded.tiles) is (side is None)
    assert side is None or (look.rows, look.cols) == (side, side)


def test_a_look_stays_within_the_image(segmenter: Segmenter) -> None:
    embedded, _ = _small(segmenter)
    look = embedded.home(Prompt(box=(240, 280, 260, 300)))
    assert (look.top, look.left, look.rows) == (252, 212, 48)
    assert embedded.home(Prompt(points=((30, 30),), labels=(0,))) in embedded.tiles


def test_a_tile_is_asked_once(segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a click's own tile is its home, the answer that told so is the answer."""
    asked: list[Tile] = []
    answered = _Oracle.ask

    def ask(self: _Oracle, tile: Tile, prompt: Prompt) -> Prediction:
        asked.append(tile)
        return answered(self, tile, prompt)

    monkeypatch.setattr(_Oracle, "ask", ask)
    (band, truth), (field, _) = _wide(segmenter), _small(segmenter)
    prompt = Prompt(points=((30, 50),))
    np.testing.assert_array_equal(band.predict(prompt).masks[1], truth)
    assert asked.count(band.around(prompt)) == 1
    np.testing.assert_array_equal(band.predict(prompt.click(150, 150, positive=False)).mask, truth)
    assert asked.count(band.around(prompt)) == 2
    asked.clear()
    small = Prompt(points=((94, 130),))
    field.predict(small)
    assert asked == [field.around(small), field.home(small)]


def test_many_looks_take_no_more_room_than_a_few(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("rsedu.segment.embedding._LOOKS", 3)
    prompts = [Prompt(box=(left, 20, left + 10, 30)) for left in range(20, 92, 12)]
    for _ in range(2):  # the second time every look is read from the disk
        embedded = replace(segmenter, cache=tmp_path).embed(image)
        first = embedded.predict(prompts[0])
        for prompt in prompts:
            embedded.predict(prompt)
            assert set(embedded.tiles) < set(embedded._features)
        looks = {embedded.home(prompt) for prompt in prompts}
        assert len(looks) > 4 and looks.isdisjoint(embedded.tiles)
        assert len(embedded._features) == len(embedded.tiles) + 3
        again = embedded.predict(prompts[0])  # its look was dropped, and is made anew
        np.testing.assert_allclose(again.logits, first.logits, atol=1e-4)


def test_a_closer_look_is_the_enlarged_part_itself(segmenter: Segmenter, image: np.ndarray) -> None:
    embedded = segmenter.embed(image)
    prompt = Prompt(box=(60, 40, 90, 62))
    look = embedded.home(prompt)
    part = segmenter.embed(np.ascontiguousarray(image[look.window]), closer=False)
    moved = Prompt(box=(60 - look.left, 40 - look.top, 90 - look.left, 62 - look.top))
    np.testing.assert_allclose(
        embedded.predict(prompt).logits, part.predict(moved).logits, rtol=1e-3, atol=1e-4
    )
