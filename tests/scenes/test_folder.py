import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from rsedu.errors import InputError
from rsedu.scenes.folder import check_room, load_scenes, save_scenes
from rsedu.scenes.scene import Scene

FACTS: dict[str, Any] = {
    "asked": {"dates": "a/b"},
    "items": {"optical": {"id": "S2"}},
    "bytes_whole": 7,
    "attribution": "Contains modified Copernicus Sentinel data 2023",
}


@pytest.fixture
def scene() -> Scene:
    array = np.random.default_rng(0).random((2, 30, 20)).astype(np.float32)
    array[:, :3] = np.nan
    return Scene(
        array=array,
        bands=("B02", "B03"),
        units=("reflectance", "reflectance"),
        transform=Affine(10, 0, 500_000, 0, -10, 9_000_000),
        crs=CRS.from_epsg(32720),
    )


def test_a_scene_comes_back_as_it_went(tmp_path: Path, scene: Scene) -> None:
    save_scenes(tmp_path / "a", {"optical": scene}, FACTS)
    found = load_scenes(tmp_path / "a", FACTS["asked"])
    np.testing.assert_array_equal(found.optical.array, scene.array)
    np.testing.assert_array_equal(found.optical.valid, scene.valid)
    assert found.optical.bands == scene.bands and found.optical.units == scene.units
    assert found.optical.grid.matches(scene.grid) and found.radar is None
    assert (found.bytes_read, found.bytes_whole) == (0, 7)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_facts_that_are_none_are_no_scene(tmp_path: Path, scene: Scene, text: str) -> None:
    save_scenes(tmp_path / "a", {"optical": scene}, FACTS)
    (tmp_path / "a" / "scene.json").write_text(text)
    with pytest.raises(InputError, match="holds no scene of ours"):
        load_scenes(tmp_path / "a", FACTS["asked"])


def test_two_requests_do_not_share_a_folder(tmp_path: Path, scene: Scene) -> None:
    save_scenes(tmp_path / "a", {"optical": scene}, FACTS)
    with pytest.raises(InputError, match="another request"):
        load_scenes(tmp_path / "a", {"dates": "c/d"})
    with pytest.raises(InputError, match="cannot be written"):
        save_scenes(tmp_path / "a", {"optical": scene}, FACTS)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert json.loads((tmp_path / "a" / "scene.json").read_text()) == FACTS


def test_room_is_made_for_the_folder_above(tmp_path: Path, scene: Scene) -> None:
    check_room(tmp_path / "new" / "a", scene.grid)
    assert (tmp_path / "new").is_dir() and not (tmp_path / "new" / "a").exists()
