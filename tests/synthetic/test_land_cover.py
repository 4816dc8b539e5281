import numpy as np
import pytest

from rsedu.scenes.bands import S2_BANDS
from rsedu.synthetic import land_cover
from rsedu.synthetic.land_cover import CLASSES, CLOUD, COLOURS, COVERS

BAND = {name: number for number, name in enumerate(S2_BANDS)}


def reflectance(name: str, band: str) -> float:
    return COVERS[CLASSES.index(name)].reflectance[BAND[band]]


def ndvi(name: str) -> float:
    red, nir = reflectance(name, "B04"), reflectance(name, "B08")
    return (nir - red) / (nir + red)


def test_the_numbers_of_the_classes_are_their_places() -> None:
    numbers = (
        land_cover.FOREST,
        land_cover.WATER,
        land_cover.ROAD,
        land_cover.SETTLEMENT,
        land_cover.CLEARING,
        land_cover.PASTURE,
        land_cover.CROP,
        land_cover.REGROWTH,
    )
    assert numbers == tuple(range(8))
    assert [CLASSES[number] for number in numbers] == [
        "forest",
        "water",
        "road",
        "settlement",
        "clearing",
        "pasture",
        "crop",
        "regrowth",
    ]
    assert len(set(COLOURS)) == len(CLASSES)


def test_every_band_of_every_class_is_a_reflectance() -> None:
    values = np.array([each.reflectance for each in COVERS])
    assert values.shape == (8, 12)
    assert values.min() > 0
    assert values.max() < 0.5 < CLOUD[BAND["B02"]]


@pytest.mark.parametrize("name", ["forest", "regrowth", "crop", "pasture"])
def test_leaves_have_a_red_edge_and_drink_short_waves(name: str) -> None:
    assert reflectance(name, "B05") < reflectance(name, "B06") < reflectance(name, "B07")
    assert reflectance(name, "B12") < reflectance(name, "B11") < reflectance(name, "B8A")
    assert reflectance(name, "B03") > reflectance(name, "B04")


def test_greenness_falls_from_forest_to_bare_ground_to_water() -> None:
    assert ndvi("forest") > 0.8 > ndvi("pasture") > 0.5 > ndvi("clearing") > 0.2 > 0 > ndvi("water")


def test_bare_soil_brightens_with_wavelength_and_water_darkens() -> None:
    soil = COVERS[land_cover.CLEARING].reflectance[:11]
    assert list(soil) == sorted(soil)
    water = COVERS[land_cover.WATER].reflectance[2:]
    assert list(water) == sorted(water, reverse=True)


def test_the_echo_turns_in_branches_and_leaves_water_for_good() -> None:
    by_vh = sorted(COVERS, key=lambda each: each.vh_db)
    assert [each.name for each in by_vh[:2]] == ["water", "road"]
    assert all(each.vv_db > each.vh_db for each in COVERS)
    assert COVERS[land_cover.FOREST].vh_db - COVERS[land_cover.CLEARING].vh_db == pytest.approx(4)
    assert max(COVERS, key=lambda each: each.vv_db).name == "settlement"
