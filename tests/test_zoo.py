"""One door: every model is listed with what it is, and loads by its name."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import rsedu
from rsedu import zoo
from rsedu.errors import InputError, RseduError
from rsedu.models import Croma, ScaleMAE, weights
from rsedu.segment import sam
from rsedu.segment.sam import Segmenter
from rsedu.segment.tiny_sam import TinySam, TinySamConfig

SHIPPED = [info.name for info in zoo.list_models() if info.origin == "shipped"]


def test_what_is_shipped_is_what_has_a_card() -> None:
    assert tuple(SHIPPED) == weights.available()
    for name in SHIPPED:
        info, card = zoo.model_info(name), weights.read_card(name)
        assert (info.about, info.licence) == (card.about, card.licence)
        assert str(info).startswith(f"{name} ({info.kind}, {card.licence}; comes with the kit): ")


def test_names_are_given_once_and_a_word_selects() -> None:
    names = [info.name for info in rsedu.list_models()]
    assert len(set(names)) == len(names)
    assert [info.name for info in zoo.list_models("Scale-MAE")] == ["scalemae-tiny", "scalemae"]
    assert {info.kind for info in zoo.list_models("segmenter")} == {"segmenter"}
    assert zoo.list_models("no such word") == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_model_loads_ready_to_use(name: str) -> None:
    model = rsedu.load(name, device="cpu")
    if zoo.model_info(name).kind == "segmenter":
        assert isinstance(model, Segmenter)
        model = model.model
    assert isinstance(model, torch.nn.Module) and not model.training
    expected = weights.load(name).state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize(("name", "reader"), [("croma", Croma), ("scalemae", ScaleMAE)])
def test_a_published_encoder_is_read_from_its_file(
    name: str, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[object] = []
    made = SimpleNamespace(to=lambda device: ("model", device.type))
    monkeypatch.setattr(reader, "from_released", lambda path: paths.append(path) or made)
    assert zoo.load(name, Path("a.pt"), device="cpu") == ("model", "cpu")
    assert paths == [Path("a.pt")]


@pytest.mark.parametrize("size", ["vit_b", "vit_l", "vit_h"])
def test_a_published_segmenter_is_asked_for_by_its_size(
    size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam, "load", lambda name, *, device: (name, device))
    assert zoo.load(f"sam-{size.replace('_', '-')}", device="cpu") == (size, "cpu")


def test_a_small_sam_of_ones_own_is_the_one_that_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = weights.read_card("sam-tiny")
    model = TinySam(TinySamConfig(**card.config))
    monkeypatch.setenv("RSEDU_WEIGHTS", str(tmp_path))
    weights.save(model, "mine", card)
    assert zoo.model_info("mine").kind == "segmenter"
    loaded = rsedu.load("mine", device="cpu")
    expected = model.state_dict()
    state = loaded.model.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in state.items())
    assert loaded.weights == weights.read_card("mine").sha256  # what its embeddings are kept by


REFUSED = [
    ("mae-tniy", None, "There is no model 'mae-tniy': did you mean 'mae-tiny'?"),
    ("zzz", None, "There is no model 'zzz': wanted one of croma-tiny, mae-tiny"),
    ("croma", None, "croma was asked for with no path; it needs the checkpoint"),
    ("mae-tiny", "a.pt", "mae-tiny was asked for with path='a.pt'; it comes with the kit"),
    ("sam-vit-b", "a.pt", "sam-vit-b was asked for with path='a.pt'; it is downloaded when"),
]


@pytest.mark.parametrize(("name", "path", "message"), REFUSED)
def test_a_wrong_name_or_path_says_what_to_do(name: str, path: str | None, message: str) -> None:
    with pytest.raises(InputError) as raised:
        rsedu.load(name, path)
    assert str(raised.value).startswith(message)
    assert isinstance(raised.value, RseduError)
