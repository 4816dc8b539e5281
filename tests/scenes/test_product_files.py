import re
import zipfile
from pathlib import Path

import pytest

from rsedu.errors import InputError, MissingDataError
from rsedu.scenes.product_files import band_files

BAND = re.compile(r"_(B\d\d)\.tif$")


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_leftovers_and_quality_masks_are_no_bands(tmp_path: Path) -> None:
    touch(tmp_path, "IMG_DATA/R10m/x_B04.tif", "QI_DATA/MSK_QUALIT_B04.tif", "MSK_DETFOO_B04.tif")
    touch(tmp_path, "._x_B04.tif", "__MACOSX/x_B04.tif", ".ipynb_checkpoints/x_B04.tif")
    found = band_files(tmp_path, BAND, ["B04"])
    assert found == {"B04": str(tmp_path / "IMG_DATA" / "R10m" / "x_B04.tif")}


def test_a_hidden_folder_above_hides_nothing(tmp_path: Path) -> None:
    touch(tmp_path, ".rsedu/data/x_B04.tif")
    assert list(band_files(tmp_path / ".rsedu" / "data", BAND, ["B04"])) == ["B04"]


def test_what_was_given_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "x_B04.tif", "MTD_MSIL2A.xml")
    with zipfile.ZipFile(tmp_path / "product.SAFE.zip", "w") as archive:
        archive.write(tmp_path / "x_B04.tif")
    for name, hint in (
        ("product.SAFE.zip", "is an archive: unpack it"),
        ("MTD_MSIL2A.xml", "is a file: give the folder"),
        ("x_B04.tif", "is one raster: give the folder of the product, or read it alone"),
    ):
        with pytest.raises(InputError, match=hint):
            band_files(tmp_path / name, BAND, ["B04"])
    with pytest.raises(MissingDataError, match="There is no folder"):
        band_files(tmp_path / "nowhere", BAND, ["B04"])


def test_two_files_and_none_of_a_band(tmp_path: Path) -> None:
    touch(tmp_path, "a/x_B04.tif", "b/x_B04.tif")
    with pytest.raises(InputError, match=r"two files of B04, x_B04.tif and x_B04.tif"):
        band_files(tmp_path, BAND, ["B04"])
    with pytest.raises(MissingDataError, match=r"B05 not found in .*, which has B04"):
        band_files(tmp_path / "a", BAND, ["B05"])
