from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rsedu.errors import InputError, MissingDataError
from rsedu.scenes.sentinel1 import read_sentinel1

WriteTif = Callable[..., Path]


@pytest.fixture
def s1_folder(tmp_path: Path, write_tif: WriteTif) -> Path:
    for name, level in (("VH", -18), ("VV", -11)):
        noise = np.random.default_rng(level + 100).normal(level, 1, (6, 5))
        write_tif(tmp_path / f"S1A_IW_{name}.tif", noise.astype(np.float32))
    return tmp_path


def test_radar_is_read_in_croma_order(s1_folder: Path) -> None:
    scene = read_sentinel1(s1_folder, unit="sigma0_db")
    assert scene.bands == ("VV", "VH") and scene.units == ("sigma0_db", "sigma0_db")
    assert scene.band("VV").mean() > scene.band("VH").mean() + 5
    linear = scene.to_linear()
    np.testing.assert_allclose(linear.array, 10 ** (scene.array / 10), rtol=1e-6)


def test_a_unit_that_cannot_be(s1_folder: Path, tmp_path: Path, write_tif: WriteTif) -> None:
    with pytest.raises(InputError, match="below 0, so this is no linear power"):
        read_sentinel1(s1_folder, unit="sigma0")
    with pytest.raises(InputError, match="'dn'"):
        read_sentinel1(s1_folder, unit="dn")
    files = {"VV": write_tif(tmp_path / "power.tif", np.full((3, 3), 0.05, np.float32))}
    assert read_sentinel1(files, unit="sigma0", bands=["VV"]).units == ("sigma0",)
    with pytest.raises(InputError, match="hardly dB"):
        read_sentinel1(files, unit="sigma0_db", bands=["VV"])


def test_radar_on_two_grids(s1_folder: Path, write_tif: WriteTif) -> None:
    write_tif(s1_folder / "S1A_IW_VH.tif", np.full((6, 5), -18, np.float32), west=600_003)
    with pytest.raises(InputError, match="grids differ"):
        read_sentinel1(s1_folder, unit="sigma0_db")
    (s1_folder / "S1A_IW_VH.tif").unlink()
    with pytest.raises(MissingDataError, match="VH not found"):
        read_sentinel1(s1_folder, unit="sigma0_db")
