import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from jaxtyping import Float

from rsedu.errors import InputError
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.synthetic import clouds as sky, frontier as synthetic
from rsedu.synthetic.frontier import LOOKS_AT_10_M, Frontier
from rsedu.synthetic.ground import Ground
from rsedu.synthetic.land_cover import (
    CLASSES,
    CLEARING,
    CLOUD,
    COVERS,
    CROP,
    FOREST,
    PASTURE,
    REGROWTH,
)

DATE = 2021.3
# sha256 of the classes and clearings of place 4, 1280 m, 2021.3, 10 m.
PLACE_4 = "b9ece548006c73cdafba1b03c3f32dda55cc362d8bfea1aa3db8b6c0a9cb8e74"
GSDS_M = (5.0, 10.0, 20.0)


@pytest.fixture(scope="module")
def place() -> Frontier:
    return Frontier(seed=4, size_m=1280)


@pytest.fixture(scope="module")
def large() -> Frontier:
    return Frontier(seed=2, size_m=5120)


def means(fine: Float[np.ndarray, "... rows cols"], factor: int) -> np.ndarray:
    *bands, rows, cols = fine.shape
    blocks = fine.astype(float).reshape(*bands, rows // factor, factor, cols // factor, factor)
    return blocks.mean(axis=(-3, -1))


@pytest.mark.parametrize("cover", [0.0, 0.4])
def test_reflectance_is_the_area_mean_of_the_finest_render(place: Frontier, cover: float) -> None:
    whole = place.optical(date=DATE, gsd_m=2.5, cloud_cover=cover).array
    for gsd_m in (*GSDS_M, 60.0):
        coarse = place.optical(date=DATE, gsd_m=gsd_m, cloud_cover=cover)
        assert coarse.gsd_m == gsd_m
        factor = round(gsd_m / 2.5)
        rows, cols = (size * factor for size in coarse.shape)  # 60 m leave some cells over
        np.testing.assert_allclose(coarse.array, means(whole[:, :rows, :cols], factor), atol=2e-6)


def test_power_and_shares_are_too(place: Frontier) -> None:
    power = place.radar(date=DATE, gsd_m=2.5, looks=None).to_linear().array
    truth = place.truth(date=DATE, gsd_m=2.5)
    for gsd_m in GSDS_M:
        factor = round(gsd_m / 2.5)
        coarse = place.radar(date=DATE, gsd_m=gsd_m, looks=None).to_linear().array
        np.testing.assert_allclose(coarse, means(power, factor), rtol=1e-4)
        shares = place.truth(date=DATE, gsd_m=gsd_m).fractions
        np.testing.assert_allclose(shares, means(truth.fractions, factor), atol=1e-6)


def test_any_pixel_size_is_a_mean_of_what_it_covers(place: Frontier) -> None:
    fine = place.optical(date=DATE, gsd_m=2.5).array.astype(float)
    coarse = place.optical(date=DATE, gsd_m=7.0).array
    assert coarse.shape == (12, 182, 182)
    for row, col in ((0, 0), (17, 100), (181, 181)):
        covered = []
        for first in (row, col):
            edges = np.clip(np.arange(513) * 2.5, first * 7.0, (first + 1) * 7.0)
            covered.append(np.diff(edges) / 7.0)
        expected = np.einsum("i,bij,j->b", covered[0], fine, covered[1])
        np.testing.assert_allclose(coarse[:, row, col], expected, atol=1e-5)


@pytest.mark.parametrize("gsd_m", [2.5, 10.0])
def test_a_window_is_the_crop_of_the_whole(place: Frontier, gsd_m: float) -> None:
    rows, cols = slice(30, 101), slice(7, 90)
    settings = {"date": DATE, "gsd_m": gsd_m}
    for render in (
        lambda **more: place.optical(cloud_cover=0.4, **settings, **more),
        lambda **more: place.radar(**settings, **more),
    ):
        crop, part = render().crop(rows=rows, cols=cols), render(window=(rows, cols))
        np.testing.assert_array_equal(part.array, crop.array)
        assert part.transform == crop.transform
        assert part.bands == crop.bands
    clouds = place.clouds(cloud_cover=0.4, **settings)
    part = place.clouds(cloud_cover=0.4, window=(rows, cols), **settings)
    np.testing.assert_array_equal(part, clouds[rows, cols])
    whole, part = place.truth(**settings), place.truth(window=(rows, cols), **settings)
    for name in ("classes", "clearings", "years"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[rows, cols])
    np.testing.assert_array_equal(part.fractions, whole.fractions[:, rows, cols])


def test_windows_are_written_as_slices_are(place: Frontier) -> None:
    whole = place.optical(date=DATE)
    part = place.optical(date=DATE, window=(slice(None, -100), slice(120, None)))
    np.testing.assert_array_equal(part.array, whole.array[:, :-100, 120:])


def digest(seed: int) -> str:
    truth = Frontier(seed=seed, size_m=1280).truth(date=DATE)
    return hashlib.sha256(truth.classes.tobytes() + truth.clearings.tobytes()).hexdigest()


def test_a_seed_is_one_place_everywhere(place: Frontier) -> None:
    assert digest(4) == PLACE_4 != digest(5)
    again = Frontier(seed=4, size_m=1280)
    for name in ("optical", "radar"):
        first, second = (getattr(world, name)(date=DATE) for world in (place, again))
        np.testing.assert_array_equal(first.array, second.array)


def test_speckle_has_the_stated_looks_and_averages_out(large: Frontier) -> None:
    for gsd_m in (10.0, 20.0):
        clean = large.radar(date=DATE, gsd_m=gsd_m, looks=None).to_linear().array
        noisy = large.radar(date=DATE, gsd_m=gsd_m).to_linear().array
        ratio = noisy / clean
        assert ratio.mean() == pytest.approx(1, abs=0.01)
        expected = LOOKS_AT_10_M * (gsd_m / 10) ** 2
        for band in ratio:
            assert band.mean() ** 2 / band.var() == pytest.approx(expected, rel=0.05)
        assert abs(np.corrcoef(ratio[0].ravel(), ratio[1].ravel())[0, 1]) < 0.02


def test_even_forest_has_the_looks_without_a_clean_render_beside_it(large: Frontier) -> None:
    for gsd_m, looks in ((5.0, 4.4 / 4), (10.0, 4.4), (20.0, 17.6)):
        power = large.radar(date=DATE, gsd_m=gsd_m).to_linear().array
        even = large.truth(date=DATE, gsd_m=gsd_m).fractions[FOREST] == 1
        for band in power[:, even].astype(float):
            # The variance of a Gamma's variance: three deviations of the sample's looks.
            error = 3 * np.sqrt((2 + 2 / looks) / even.sum())
            assert band.mean() ** 2 / band.var() == pytest.approx(looks, rel=error)


def test_reflectance_is_brightness_times_spectrum_times_light(place: Frontier) -> None:
    side = slice(0, 64)
    bright = Ground(seed=4, size_m=1280).brightness(DATE, 20.0, side, side)
    light = sky.light(4, 20.0, side, side)
    seen = place.optical(date=DATE, gsd_m=20).array
    for band, row, col in np.random.default_rng(0).integers(0, (12, 64, 64), size=(300, 3)):
        shares = zip(bright[:, row, col], COVERS, strict=True)
        expected = sum(share * cover.reflectance[band] for share, cover in shares)
        assert seen[band, row, col] == pytest.approx(expected * light[band, row, col], abs=1e-6)


def test_another_place_has_another_speckle_on_the_same_day() -> None:
    ratios = []
    for seed in (4, 5):
        place = Frontier(seed=seed, size_m=1280)
        noisy, clean = place.radar(date=DATE), place.radar(date=DATE, looks=None)
        ratios.append((noisy.to_linear().array / clean.to_linear().array).ravel())
    assert abs(np.corrcoef(ratios)[0, 1]) < 0.05


def test_another_day_has_another_speckle_on_the_same_ground(place: Frontier) -> None:
    first, second = (place.radar(date=date).array for date in (DATE, DATE + 0.01))
    assert np.mean(first == second) < 0.01
    first, second = (place.radar(date=date, looks=None).array for date in (DATE, DATE + 1e-6))
    np.testing.assert_array_equal(first, second)


def test_clouds_hide_the_optical_and_not_the_radar(large: Frontier) -> None:
    clear = large.optical(date=DATE, gsd_m=20).array
    cloudy = large.optical(date=DATE, gsd_m=20, cloud_cover=0.3).array
    hidden = large.clouds(date=DATE, gsd_m=20, cloud_cover=0.3)
    assert (hidden > 0.5).mean() == pytest.approx(0.3, abs=0.01)
    blue = S2_BANDS.index("B02")
    assert cloudy[blue][hidden > 0.9].min() > 0.5 > clear[blue].max()
    changed = (cloudy != clear).any(axis=0)
    assert changed[hidden > 0].all()
    # Where a pixel changed without a cloud over it, a shadow darkened it.
    shaded = changed & (hidden == 0)
    assert shaded.mean() > 0.05
    assert (cloudy[:, shaded] < clear[:, shaded]).all()


def test_the_radar_does_not_know_of_clouds() -> None:
    """The same bytes from a place that was never clouded and from one that was, and no switch."""
    clear, cloudy = (Frontier(seed=4, size_m=1280) for _ in range(2))
    cloudy.optical(date=DATE, cloud_cover=1.0)
    heard = [each.radar(date=DATE).array.tobytes() for each in (clear, cloudy)]
    assert heard[0] == heard[1]
    with pytest.raises(TypeError, match="cloud_cover"):
        clear.radar(date=DATE, cloud_cover=0.5)


@pytest.mark.parametrize("cover", [0.0, 1.0])
def test_a_clear_and_a_closed_sky_are_exact(place: Frontier, cover: float) -> None:
    assert (place.clouds(date=DATE, cloud_cover=cover) == cover).all()
    seen = place.optical(date=DATE, cloud_cover=cover).array
    expected = place.optical(date=DATE).array if cover == 0 else CLOUD[:, None, None]
    np.testing.assert_allclose(seen, np.broadcast_to(expected, seen.shape), atol=1e-6)


def test_each_class_has_its_spectrum_and_its_echo() -> None:
    """Medians over pure pixels of three places, against the tables; forest is the tightest."""
    seen: dict[int, list[np.ndarray]] = {}
    for seed in range(3):
        place = Frontier(seed=seed, size_m=5120)
        optical = place.optical(date=DATE, gsd_m=10).array
        radar = place.radar(date=DATE, gsd_m=10, looks=None).array
        fractions = place.truth(date=DATE, gsd_m=10).fractions
        for kind in range(len(CLASSES)):
            pure = fractions[kind] > 0.999
            seen.setdefault(kind, []).append(np.concatenate([optical, radar])[:, pure])
    for kind, found in seen.items():
        pixels = np.concatenate(found, axis=1)
        if CLASSES[kind] == "road":  # 12 m wide at most: hardly a pure pixel
            continue
        median = np.median(pixels, axis=1)
        tolerance = 0.02 if kind == FOREST else 0.12
        np.testing.assert_allclose(median[:12], COVERS[kind].reflectance, rtol=tolerance)
        np.testing.assert_allclose(median[12:], (COVERS[kind].vv_db, COVERS[kind].vh_db), atol=0.01)


def test_clearing_goes_on_and_nothing_becomes_forest_again(large: Frontier) -> None:
    cut_before: np.ndarray | None = None
    for date in (1996.0, 2004.0, 2012.5, 2025.9):
        truth = large.truth(date=date, gsd_m=10)
        cut = truth.clearings > 0
        assert (truth.years[cut] <= date).all()
        assert np.isnan(truth.years[~cut]).all()
        assert (truth.fractions[FOREST][cut] < 1).all()
        if cut_before is not None:
            assert (cut | ~cut_before).all()
            assert cut.sum() > cut_before.sum()
        cut_before = cut


def test_what_was_cut_is_never_forest(place: Frontier) -> None:
    """At 2.5 m a pixel is one cell, so that no forest can show at its edge."""
    for date in (2000.0, 2010.0, 2025.0):
        truth = place.truth(date=date, gsd_m=2.5)
        cut = truth.clearings > 0
        now = set(np.unique(truth.classes[cut]).tolist())
        assert now <= {CLEARING, PASTURE, CROP, REGROWTH}
        covers = {clearing.label: clearing.cover for clearing in truth.outlines}
        assert now <= set(covers.values())
        for label in np.unique(truth.clearings[cut]):
            assert (truth.classes[truth.clearings == label] == covers[label]).all()


def test_a_clearing_is_bare_first_and_then_used(large: Frontier) -> None:
    for clearing in large.clearings(date=2024.0):
        age = 2024.0 - clearing.year
        assert age >= 0
        assert (clearing.cover == CLEARING) if age < 0.6 else True
        assert (clearing.cover != CLEARING) if age > 1.6 else True
    kinds = {clearing.cover for clearing in large.clearings(date=2024.0)}
    assert {CLEARING, PASTURE, REGROWTH} < kinds


def test_hectares_are_those_of_the_pixels(large: Frontier) -> None:
    truth = large.truth(date=2024.0, gsd_m=2.5)
    counts = np.bincount(truth.clearings.ravel(), minlength=2000)
    drawn = {clearing.label: counts[clearing.label] * 2.5**2 / 1e4 for clearing in truth.outlines}
    for clearing in truth.outlines:
        assert clearing.polygon.is_valid
        assert clearing.polygon.geom_type in ("Polygon", "MultiPolygon")
        assert clearing.hectares == pytest.approx(clearing.polygon.area / 1e4)
        margin = 0.25 * 2.5 * clearing.polygon.length / 1e4  # a quarter cell around it
        assert drawn[clearing.label] == pytest.approx(clearing.hectares, abs=margin)
    outlines = [clearing.polygon for clearing in truth.outlines]
    total = sum(clearing.hectares for clearing in truth.outlines)
    assert shapely.union_all(outlines).area / 1e4 == pytest.approx(total, rel=1e-9)  # no overlaps
    assert sum(drawn.values()) == pytest.approx(total, rel=0.002)


def test_polygons_lie_where_the_pixels_do(large: Frontier) -> None:
    truth = large.truth(date=2024.0, gsd_m=10)
    scene = large.optical(date=2024.0, gsd_m=10, window=(slice(0, 8), slice(0, 8)))
    for clearing in truth.outlines[::20]:
        rows, cols = np.nonzero(truth.clearings == clearing.label)
        x, y = scene.transform @ (cols.mean() + 0.5, rows.mean() + 0.5)
        assert shapely.Point(x, y).distance(clearing.polygon.centroid) < 6
        assert np.unique(truth.years[rows, cols]) == pytest.approx(clearing.year)


def test_the_place_has_plausible_coordinates(place: Frontier) -> None:
    optical, radar = place.optical(date=DATE), place.radar(date=DATE)
    assert optical.crs == radar.crs == synthetic.UTM
    assert optical.bounds == radar.bounds == (400_000, 8_898_720, 401_280, 8_900_000)
    assert (optical.bands, optical.units) == (S2_BANDS, ("reflectance",) * 12)
    assert (radar.bands, radar.units) == (S1_BANDS, ("sigma0_db",) * 2)


def test_files_hold_the_scenes_and_say_what_they_are(place: Frontier, tmp_path: Path) -> None:
    paths = place.write(tmp_path / "new", date=DATE, gsd_m=5, cloud_cover=0.2)
    assert [path.name for path in paths] == ["optical.tif", "radar.tif", "classes.tif"]
    wanted = (
        place.optical(date=DATE, gsd_m=5, cloud_cover=0.2).array,
        place.radar(date=DATE, gsd_m=5).array,
        place.truth(date=DATE, gsd_m=5).classes[None],
    )
    for path, array in zip(paths, wanted, strict=True):
        with rasterio.open(path) as file:
            np.testing.assert_array_equal(file.read(), array)
            assert file.crs == synthetic.UTM
            assert file.transform == Affine(5, 0, 400_000, 0, -5, 8_900_000)
            assert file.tags()["SOURCE"] == "synthetic"
            assert (file.tags()["SEED"], file.tags()["DATE"]) == ("4", "2021.3")
    with rasterio.open(paths[0]) as file:
        assert file.descriptions == S2_BANDS
    for path, names in zip(paths[1:], (("VV", "VH"), ("class",)), strict=True):
        with rasterio.open(path) as file:
            assert file.descriptions == names
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert set(file.block_shapes) == {(256, 256)}


TODAY = {"date": DATE}
REFUSED = [
    (lambda _: Frontier(seed=-1), "seed is -1"),
    (lambda _: Frontier(seed=1, size_m=1290), "size_m is 1290; a frontier's side"),
    (lambda _: Frontier(seed=1, size_m=0), "multiple of 20 m"),
    (lambda _: Frontier(seed=1, size_m=float("nan")), "size_m is nan"),
    (lambda place: place.optical(**TODAY, gsd_m=2.4), r"gsd_m is 2\.4; wanted 2\.5 m to"),
    (lambda place: place.optical(**TODAY, gsd_m=1281), "gsd_m is 1281"),
    (lambda place: place.optical(**TODAY, gsd_m=float("nan")), "gsd_m is nan"),
    (lambda place: place.optical(**TODAY, window=np.s_[5:5, 0:9]), "is empty or has steps"),
    (lambda place: place.optical(**TODAY, window=np.s_[0:9:2, 0:9]), "128 x 128 px"),
    (lambda place: place.optical(**TODAY, window=np.s_[0:9, 500:600]), "lie within it"),
    (lambda place: place.optical(**TODAY, cloud_cover=-0.1), "cloud_cover is -0.1"),
    (lambda place: place.optical(**TODAY, cloud_cover=1.1), "cloud_cover is 1.1; it is a share"),
    (lambda place: place.optical(**TODAY, cloud_cover=float("nan")), "cloud_cover is nan"),
    (lambda place: place.optical(date=float("nan")), "date is nan; wanted a decimal year"),
    (lambda place: place.optical(date=float("inf")), "date is inf; wanted a decimal year"),
    (lambda place: place.radar(date=float("inf")), "date is inf"),
    (lambda place: place.radar(**TODAY, looks=0.0), "looks is 0; wanted a number above 0"),
    (lambda place: place.clouds(date=float("inf"), cloud_cover=0.1), "date is inf"),
    (lambda place: place.truth(date=float("inf")), "date is inf"),
    (lambda place: place.truth(**TODAY, gsd_m=7.0), r"truth is counted in cells of 2\.5 m"),
    (lambda place: place.write(Path("none"), date=float("nan")), "date is nan"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_refused(place: Frontier, call: Callable[[Frontier], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(place)
    assert not Path("none").exists()
