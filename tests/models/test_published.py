import argparse

import pytest
import torch

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.models.published import read_released
from rsedu.models.vit import Encoder, MaskedViTConfig, ViTSize

DECODER = (
    *("decoder_embed.weight", "decoder_pos_embed", "decoder_blocks.0.norm1.weight"),
    *("fcn_high.layers.0.weight", "fcn_low.layers.0.weight", "fpn.do_ups.0.weight"),
    *("mask_token", "mask_token_decoder", "pos_embed"),
)


def tensors(dim=64, depth=2):
    size = ViTSize(dim, depth, 4)
    vit = Encoder(MaskedViTConfig(encoder=size, channels=3, patch_size=16)).vit
    return vit.state_dict() | {name: torch.zeros(1) for name in DECODER}


def saved(folder, content):
    torch.save(content, folder / "checkpoint.pth")
    return folder / "checkpoint.pth"


def test_released_layout(tmp_path):
    everything = tensors()
    content = {
        **{"model": everything, "optimizer": {"state": {}}, "epoch": 799},
        "args": argparse.Namespace(model="mae_vit_large_patch16", lr=1.5e-4),
    }
    released = read_released(saved(tmp_path, content), heads=4)
    assert released.size == ViTSize(dim=64, depth=2, heads=4)
    assert (released.channels, released.patch_size) == (3, 16)
    assert released.ignored == tuple(sorted(DECODER))
    assert set(released.state) == set(everything) - set(DECODER)
    for name, tensor in released.state.items():
        assert torch.equal(tensor, everything[name])


def test_plain_table_of_tensors(tmp_path):
    released = read_released(str(saved(tmp_path, tensors(depth=11))), heads=8)
    assert released.size == ViTSize(dim=64, depth=11, heads=8)


@pytest.mark.parametrize(("dim", "heads"), [(768, 12), (1024, 16), (1280, 16)])
def test_heads_of_published_sizes(tmp_path, dim, heads):
    assert read_released(saved(tmp_path, tensors(dim, depth=1))).size.heads == heads


def test_other_sizes_need_heads(tmp_path):
    with pytest.raises(InputError, match="pass heads="):
        read_released(saved(tmp_path, tensors()))


@pytest.mark.parametrize(
    "name", ["blocks.1.attn.qkv.bias", "norm.weight", "patch_embed.proj.weight"]
)
def test_missing_tensor(tmp_path, name):
    incomplete = tensors()
    del incomplete[name]
    with pytest.raises(InputError, match=rf"missing \['{name}'\]"):
        read_released(saved(tmp_path, {"model": incomplete}), heads=4)


def test_unknown_tensor(tmp_path):
    with pytest.raises(InputError, match=r"unknown \['head.weight'\] \(1 in all\)"):
        read_released(saved(tmp_path, tensors() | {"head.weight": torch.zeros(1)}), heads=4)


def test_another_model(tmp_path):
    with pytest.raises(InputError, match="encoder of 0 blocks"):
        read_released(saved(tmp_path, {"conv1.weight": torch.zeros(1)}))


def test_no_file(tmp_path):
    with pytest.raises(MissingDataError, match="download it"):
        read_released(tmp_path / "nothing.pth")


def test_truncated_file(tmp_path):
    path = saved(tmp_path, {"model": tensors()})
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BrokenDataError, match="download it again"):
        read_released(path)
    path.write_bytes(b"<html>Not found</html>")
    with pytest.raises(BrokenDataError, match="download it again"):
        read_released(path)


class Foreign:
    """Stands for an object whose loading would run code."""


def test_other_objects_are_not_loaded(tmp_path):
    with pytest.raises(BrokenDataError, match="checkpoint of tensors"):
        read_released(saved(tmp_path, {"model": tensors(), "extra": Foreign()}))
    with pytest.raises(InputError, match="holds a list"):
        read_released(saved(tmp_path, [1, 2]))
