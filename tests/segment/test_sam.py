import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from affine import Affine
from segment_anything import SamPredictor, sam_model_registry
from segment_anything.modeling import Sam

from rsedu.errors import BrokenDataError, InputError
from rsedu.models import weights
from rsedu.scenes.scene import Scene
from rsedu.segment import sam
from rsedu.segment.prompt import Prompt
from rsedu.segment.sam import FallbackWarning, Segmenter, load
from rsedu.segment.tiny_sam import TinySam

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: TinySam) -> Path:
    """A folder of weights with a small SAM."""
    monkeypatch.setenv("RSEDU_WEIGHTS", str(tmp_path / "weights"))
    card = weights.Card(
        about="", command="", data="", inputs="", steps=0, minutes=0, hardware="", metrics={}
    )
    weights.save(fresh, sam.TINY, card)
    return tmp_path


@pytest.fixture
def tiny_vit_b(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the released model, of which 375 MB are too many for a test."""
    monkeypatch.setitem(sam_model_registry, "vit_b", lambda checkpoint: TinySam())


def test_tiny_comes_with_its_weights(shelf: Path, fresh: TinySam) -> None:
    segmenter = load("tiny", device="cpu")
    assert segmenter.name == "tiny" and isinstance(segmenter.model, Sam)
    assert not segmenter.model.training
    ours, theirs = segmenter.model.state_dict(), fresh.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_without_a_network_tiny_stands_in_and_one_sentence_says_so(shelf: Path) -> None:
    with pytest.warns(FallbackWarning, match=r"vit_h could not be downloaded, so .* 'tiny'"):
        segmenter = load("vit_h", folder=shelf / "sam", base=NOWHERE, device="cpu")
    assert segmenter.name == "tiny"


def test_a_released_model_is_read(
    shelf: Path, tiny_vit_b: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = TinySam()
    torch.save(other.state_dict(), shelf / "any.pth")
    content = (shelf / "any.pth").read_bytes()
    name = f"sam_vit_b_{hashlib.sha256(content).hexdigest()[:6]}.pth"
    (shelf / name).write_bytes(content)
    monkeypatch.setitem(sam.FILES, "vit_b", name)
    segmenter = load("vit_b", folder=shelf, base=NOWHERE, device="cpu")
    assert (segmenter.name, segmenter.weights) == ("vit_b", name[10:16])
    ours = segmenter.model.state_dict()
    assert all(torch.equal(ours[key], value) for key, value in other.state_dict().items())


def test_names_of_released_files_tell_their_digest() -> None:
    digests = {name: sam._digest(file) for name, file in sam.FILES.items()}
    assert digests == {"vit_b": "01ec64", "vit_l": "0b3195", "vit_h": "4b8939"}


def test_what_was_downloaded_has_to_have_the_digest(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, Path, str]] = []

    def download(address: str, path: Path, *, digest: str) -> Path:
        calls.append((address, path, digest))
        raise BrokenDataError("other bytes")

    monkeypatch.setattr(sam, "download", download)
    with pytest.raises(BrokenDataError, match="other bytes"):
        load("vit_l", folder=shelf, device="cpu")
    file = "sam_vit_l_0b3195.pth"
    assert calls == [(sam.BASE + file, shelf / file, "sha256:0b3195")]


def test_other_tensors_are_refused(shelf: Path, tiny_vit_b: None) -> None:
    torch.save({"a": torch.zeros(1)}, shelf / sam.FILES["vit_b"])
    with pytest.raises(BrokenDataError, match="other tensors"):
        load("vit_b", folder=shelf, base=NOWHERE, device="cpu")


def test_names_and_tiles_that_cannot_be_are_refused(segmenter: Segmenter) -> None:
    with pytest.raises(Exception, match=r"vit_x|violates|type"):
        load("vit_x")
    pixels = np.zeros((20, 20, 3), dtype=np.uint8)
    with pytest.raises(InputError, match="tile_px is 15"):
        segmenter.embed(pixels, tile_px=15)
    assert len(segmenter.embed(pixels, tile_px=16).tiles) == 4


def test_a_scene_brings_its_place_and_any_bands(segmenter: Segmenter) -> None:
    array = np.random.default_rng(0).random((3, 40, 50)).astype(np.float32)
    scene = Scene(
        array=array,
        bands=("VV", "VH", "B08"),
        transform=Affine(20, 0, 0, 0, -20, 800),
        crs=None,
        units=("sigma0_db", "sigma0_db", "reflectance"),
    )
    embedded = segmenter.embed(scene, bands=("B08", "VV", "VH"))
    assert embedded.grid == scene.grid and embedded.shape == (40, 50)
    answer = embedded.predict(Prompt(points=((205, 605),), frame="map"))
    assert answer.masks.shape == (3, 40, 50)
    with pytest.raises(InputError, match="No band 'B04'"):
        segmenter.embed(scene)


def test_many_tiles_are_embedded_when_they_are_asked_for(segmenter: Segmenter) -> None:
    at_once = segmenter.embed(np.zeros((16, 16 + 12 * 63, 3), dtype=np.uint8), tile_px=16)
    assert len(at_once.tiles) == len(at_once._features) == 64
    embedded = segmenter.embed(np.zeros((16, 16 + 12 * 64, 3), dtype=np.uint8), tile_px=16)
    assert len(embedded.tiles) == 65 and not embedded._features
    embedded.features(embedded.tiles[5])
    assert set(embedded._features) == {embedded.tiles[5]}


def test_everything_is_found_without_a_prompt(segmenter: Segmenter, image: np.ndarray) -> None:
    found = segmenter.everything(image, points_per_side=3, least_iou=-9, least_stability=0)
    assert found and all(record["segmentation"].shape == (128, 128) for record in found)
    areas = [record["area"] for record in found]
    assert areas == sorted(areas, reverse=True)
    assert areas[0] == found[0]["segmentation"].sum()
    assert not segmenter.everything(image, points_per_side=2, least_iou=99)


def test_a_larger_image_is_looked_at_in_crops(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    original = SamPredictor.set_image

    def set_image(predictor: SamPredictor, pixels: np.ndarray) -> None:
        seen.append(pixels.shape[:2])
        original(predictor, pixels)

    monkeypatch.setattr(SamPredictor, "set_image", set_image)
    segmenter.everything(np.tile(image, (2, 2, 1)), points_per_side=2, least_iou=99)
    assert seen[0] == (256, 256) and len(seen) == 5
    assert all(128 < max(shape) < 192 for shape in seen[1:])


def test_a_grid_is_not_halved_to_nothing(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, int]] = []

    class Generator:
        def __init__(self, model: object, **chosen: int) -> None:
            seen.append(chosen)

        def generate(self, pixels: np.ndarray) -> list[dict[str, int]]:
            return []

    monkeypatch.setattr(sam, "SamAutomaticMaskGenerator", Generator)
    for points, expected in ((4, 2), (5, 2), (16, 3)):
        segmenter.everything(np.tile(image, (8, 8, 1)), points_per_side=points)  # 8 is 2 ** 3
        assert seen[-1]["crop_n_layers"] == expected


def test_one_point_a_side_is_enough_for_a_large_image(
    segmenter: Segmenter, image: np.ndarray
) -> None:
    assert not segmenter.everything(np.tile(image, (2, 2, 1)), points_per_side=1, least_iou=99)
    with pytest.raises(InputError, match="points_per_side is 0"):
        segmenter.everything(image, points_per_side=0)


@pytest.mark.parametrize("wrong", [np.zeros((9, 9)), np.zeros((9, 9, 3)), np.zeros((9, 9), "u1")])
def test_an_image_of_another_kind_is_refused(segmenter: Segmenter, wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match="wanted uint8"):
        sam._pixels(wrong, ("B04", "B03", "B02"))
    for method in (segmenter.everything, segmenter.embed):
        with pytest.raises((InputError, TypeError), match=r"float|uint8|type"):
            method(wrong)


def test_an_index_error_without_crops_is_no_empty_answer(
    segmenter: Segmenter, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise IndexError("broken")

    monkeypatch.setattr(sam.SamAutomaticMaskGenerator, "generate", broken)
    with pytest.raises(IndexError, match="broken"):
        segmenter.everything(image)
