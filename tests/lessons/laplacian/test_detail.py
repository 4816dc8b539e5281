"""Bands that add up, enlargement as torch has it, and energy where it was put."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rsedu.errors import InputError
from rsedu.lessons.laplacian.detail import (
    coarse,
    energy_by_class,
    explained_energy,
    held_by,
    three_bands,
    upsample_bilinear,
)
from rsedu.models.laplacian import low_pass
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.tensors import normalise
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import COVERS


@pytest.mark.parametrize("shape", [(6, 10), (4, 5), (9, 35)])
def test_enlargement_is_torchs(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random((3, 5))
    theirs = F.interpolate(torch.from_numpy(image)[None, None], shape, mode="bilinear")[0, 0]
    np.testing.assert_allclose(upsample_bilinear(image, shape), theirs.numpy())


def test_enlargement_does_not_shrink() -> None:
    with pytest.raises(InputError, match=r"can't be enlarged to \(2, 9\)"):
        upsample_bilinear(np.zeros((3, 4)), (2, 9))


def test_bands_add_up_and_each_holds_its_waves() -> None:
    cols = np.arange(64)
    fine, rough = np.cos(np.pi * cols) * 0.5, np.cos(2 * np.pi * cols / 64)
    image = np.tile(7.0 + fine + rough, (16, 1))
    bands = three_bands(image)
    np.testing.assert_allclose(sum(bands.values()) + 7.0, image, atol=1e-12)
    # A wave of 2 px averages to nothing over 2 px; one of 64 px is left, a tenth weaker.
    np.testing.assert_allclose(bands["high"][:, 8:-8], image[:, 8:-8] - 7 - rough[8:-8], atol=0.01)
    assert np.abs(bands["low"] - rough)[:, 8:-8].max() < 0.12


def test_a_sample_as_large_as_a_pixel_changes_nothing() -> None:
    image = np.random.default_rng(1).random((4, 6))
    np.testing.assert_allclose(coarse(image, 1), image)


def test_energy_is_counted_where_it_is() -> None:
    energy, kind = np.array([[1.0, 3.0], [0.0, 4.0]]), np.array([[False, True], [False, False]])
    found = held_by(energy, kind)
    assert (found.energy, found.area) == (pytest.approx(3 / 8), 0.25)


def test_fine_bands_hold_roads_and_coarse_ones_the_river() -> None:
    table = energy_by_class(Frontier(seed=3000, size_m=5120.0), gsd_m=10.0)
    assert table["high"]["road"].energy > 3 * table["low"]["road"].energy
    assert table["low"]["river"].energy > 3 * table["high"]["river"].energy
    assert table["high"]["road"].area == table["low"]["road"].area


def test_what_a_map_explains_by_a_second_path() -> None:
    place, date, names = Frontier(seed=3000, size_m=1280.0), 2018.0, ("B02", "B03", "B04", "B08")
    fractions = place.truth(date=date, gsd_m=20.0).fractions
    drawn = np.zeros((4, 64, 64), dtype=np.float32)
    for share, cover in zip(fractions, COVERS, strict=True):
        for band, name in enumerate(names):
            drawn[band] += share * cover.reflectance[S2_BANDS.index(name)]
    seen = place.optical(date=date, gsd_m=20.0).select(*names).array
    both = torch.from_numpy(np.stack([normalise(each, names) for each in (seen, drawn)]))
    true, map_only = both - low_pass(both, (32, 32))
    wanted = 1 - (true - map_only).square().sum() / true.square().sum()
    assert explained_energy(place, gsd_m=20.0, date=date) == pytest.approx(float(wanted), abs=1e-4)
    assert 0.2 < wanted < 0.9
