from itertools import pairwise

import pytest

from rsedu.scenes.bands import (
    C_BAND_WAVELENGTH_CM,
    S1,
    S1_BANDS,
    S2,
    S2_BANDS,
    s2_offset_dn,
)


def test_order_is_cromas() -> None:
    assert " ".join(S2_BANDS) == "B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B11 B12"
    assert S1_BANDS == ("VV", "VH")


def test_each_native_pixel_is_the_products() -> None:
    sides = {gsd: {n for n, band in S2.items() if band.native_gsd_m == gsd} for gsd in (10, 20, 60)}
    assert sides[10] == {"B02", "B03", "B04", "B08"}
    assert sides[60] == {"B01", "B09", "B10"}
    assert sides[20] == {"B05", "B06", "B07", "B8A", "B11", "B12"}


def test_wavelengths_rise_and_bands_that_measure_one_thing_do_not_overlap() -> None:
    bands = [band for band in S2.values() if band.wavelength_um and band.width_um]
    assert len(bands) == 13
    centres = [band.wavelength_um for band in bands]
    assert centres == sorted(centres)
    narrow = [band for band in bands if band.name != "B08"]  # B08 is wide and covers B8A's edge
    for low, high in pairwise(narrow):
        assert low.wavelength_um + low.width_um / 2 < high.wavelength_um - high.width_um / 2


def test_wavelengths_are_micrometres() -> None:
    assert S2["B04"].wavelength_um == pytest.approx(0.665, abs=0.001)
    assert S2["B12"].wavelength_um == pytest.approx(2.202, abs=0.001)


def test_radar_is_c_band() -> None:
    assert pytest.approx(5.5466, abs=1e-4) == C_BAND_WAVELENGTH_CM
    assert all(band.wavelength_um is None for band in S1.values())


@pytest.mark.parametrize(
    ("baseline", "offset"), [(2.06, 0), (3.99, 0), (4.0, -1000), (5.11, -1000)]
)
def test_the_offset_came_with_baseline_4(baseline: float, offset: float) -> None:
    assert s2_offset_dn(baseline) == offset
