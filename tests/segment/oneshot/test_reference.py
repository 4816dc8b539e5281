import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rsedu.errors import InputError
from rsedu.segment.embedding import Embedded
from rsedu.segment.oneshot.reference import (
    combined,
    cosine_map,
    embed_example,
    likelihood,
    resemblance,
    similarity,
    similarity_map,
    tile_of,
)
from rsedu.segment.prompt import Prompt
from rsedu.segment.sam import Segmenter


@pytest.fixture
def embedded(segmenter: Segmenter, image: np.ndarray) -> Embedded:
    return segmenter.embed(image)


def _square() -> np.ndarray:
    """Whole cells of 8 px: rows 4 to 7 and columns 6 to 11 of the embedding."""
    mask = np.zeros((128, 128), dtype=bool)
    mask[32:64, 48:96] = True
    return mask


def test_the_target_is_the_mean_of_the_objects_cells(embedded: Embedded) -> None:
    features = embedded.features(embedded.tiles[0])[0]
    inside = features[:, 4:8, 6:12].flatten(1)
    found = embed_example(embedded, _square())
    torch.testing.assert_close(found.target, inside.mean(dim=1))
    torch.testing.assert_close(found.strongest, (inside.mean(dim=1) + inside.amax(dim=1)) / 2)


def test_an_example_of_numbers_is_the_same_and_labels_are_refused(embedded: Embedded) -> None:
    found = embed_example(embedded, _square() * np.uint8(255))
    torch.testing.assert_close(found.target, embed_example(embedded, _square()).target)
    with pytest.raises(InputError, match="labels == 3"):
        embed_example(embedded, _square() * np.uint8(3))


def test_an_object_smaller_than_half_a_cell_is_weighted_by_its_shares(embedded: Embedded) -> None:
    mask = np.zeros((128, 128), dtype=bool)
    mask[66, 22:26] = True  # two pixels in each of two cells, (row 8, col 2) and (row 8, col 3)
    features = embedded.features(embedded.tiles[0])[0]
    expected = features[:, 8, 2:4].mean(dim=1)
    found = embed_example(embedded, mask).target
    assert float(F.cosine_similarity(found, expected, dim=0)) > 0.99


@pytest.mark.parametrize(("rows", "counts"), [(4, True), (3, False)])
def test_a_cell_belongs_to_the_object_from_half(
    embedded: Embedded, rows: int, counts: bool
) -> None:
    mask = np.zeros((128, 128), dtype=bool)
    mask[32 : 64 + rows] = True  # so many of the 8 rows of the last cells
    features = embedded.features(embedded.tiles[0])[0]
    expected = features[:, 4 : 8 + counts].mean(dim=(1, 2))
    torch.testing.assert_close(embed_example(embedded, mask).target, expected)


def test_similarity_is_one_where_the_image_is_the_target(embedded: Embedded) -> None:
    features = embedded.features(embedded.tiles[0])[0]
    shown = similarity(embedded, features[:, 5, 9])
    assert shown.shape == (128, 128)
    assert np.unravel_index(shown.argmax(), shown.shape)[0] // 8 == 5
    assert np.unravel_index(shown.argmax(), shown.shape)[1] // 8 == 9
    cells = cosine_map(features, features[:, 5, 9])
    assert float(cells[5, 9]) == pytest.approx(1, abs=1e-5)
    assert cells.abs().max() <= 1 + 1e-5


def test_padding_is_no_part_of_the_similarity(segmenter: Segmenter, image: np.ndarray) -> None:
    half = segmenter.embed(image[:64])
    features = half.features(half.tiles[0])[0]
    shown = similarity(half, features[:, 2, 13])
    assert shown.shape == (64, 128)
    row, col = np.unravel_index(shown.argmax(), shown.shape)
    assert (row // 8, col // 8) == (2, 13)


def test_likelihood_is_the_logistic_of_the_standardised_map() -> None:
    values = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    z = (values.numpy() - 3) / values.numpy().std(ddof=1)
    np.testing.assert_allclose(likelihood(values), 1 / (1 + np.exp(-z)), rtol=1e-5)


def test_several_references_are_their_mean(embedded: Embedded) -> None:
    one = embed_example(embedded, _square())
    other = embed_example(embedded, np.roll(_square(), 40, axis=0))
    both = combined([one, other])
    torch.testing.assert_close(both.target, (one.target + other.target) / 2)
    torch.testing.assert_close(both.strongest, (one.strongest + other.strongest) / 2)
    with pytest.raises(InputError, match="no reference"):
        combined([])


def _ring() -> np.ndarray:
    """A ring of 16 px width round most of an image of 300 x 300; its middle is empty."""
    ring = np.zeros((300, 300), dtype=bool)
    ring[60:240, 60:240] = True
    ring[76:224, 76:224] = False
    return ring


def test_an_example_in_parts_is_looked_at_where_most_of_it_is(segmenter: Segmenter) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    embedded = segmenter.embed(noise)
    found = tile_of(embedded, _ring())
    counts = [int(_ring()[tile.window].sum()) for tile in embedded.tiles]
    assert 0 in counts and int(_ring()[found.window].sum()) == max(counts)
    assert embed_example(embedded, _ring()).target.isfinite().all()
    small = np.zeros((300, 300), dtype=bool)
    small[130:150, 90:110] = True
    assert tile_of(embedded, small) == embedded.around(Prompt(box=(90, 130, 110, 150)))


def test_masks_that_do_not_fit_are_refused(embedded: Embedded, segmenter: Segmenter) -> None:
    with pytest.raises(InputError, match="the image"):
        embed_example(embedded, np.ones((5, 5), dtype=bool))
    with pytest.raises(InputError, match="empty"):
        embed_example(embedded, _square() & False)
    large = segmenter.embed(np.zeros((200, 200, 3), dtype=np.uint8))
    with pytest.raises(InputError, match="tiles"):
        similarity(large, torch.ones(128))


def test_a_resemblance_is_the_mean_of_its_looks(
    embedded: Embedded, segmenter: Segmenter, image: np.ndarray
) -> None:
    turned = segmenter.embed(np.ascontiguousarray(image[::-1]))
    one, other = embed_example(embedded, _square()).target, embed_example(turned, _square()).target
    expected = (similarity(embedded, one) + similarity(turned, other)) / 2
    np.testing.assert_allclose(resemblance([(embedded, one), (turned, other)]), expected, atol=1e-6)
    np.testing.assert_array_equal(resemblance([(embedded, one)]), similarity(embedded, one))
    with pytest.raises(InputError, match="same pixels"):
        resemblance([(embedded, one), (segmenter.embed(image[:64]), other)])
    with pytest.raises(InputError, match="one look or more"):
        resemblance([])


def test_everywhere_is_each_tiles_similarity_and_the_larger_of_two(
    segmenter: Segmenter, embedded: Embedded
) -> None:
    target = embed_example(embedded, _square()).target
    np.testing.assert_array_equal(similarity_map(embedded, target), similarity(embedded, target))
    noise = np.random.default_rng(7).integers(0, 255, size=(128, 200, 3), dtype=np.uint8)
    wide = segmenter.embed(noise)
    maps = [(tile, similarity(wide, target, tile=tile)) for tile in wide.tiles]
    found = similarity_map(wide, target)
    assert len(maps) > 1
    for row, col in ((3, 4), (60, 100), (127, 199)):
        seen = [
            here[row - tile.window[0].start, col - tile.window[1].start]
            for tile, here in maps
            if tile.window[0].start <= row < tile.window[0].stop
            and tile.window[1].start <= col < tile.window[1].stop
        ]
        assert found[row, col] == max(seen)
