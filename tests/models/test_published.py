"""Checkpoints as published: Scale-MAE first, then CROMA."""

import argparse
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.models.croma import Croma
from rsedu.models.published import load_tensors, read_scalemae
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


def test_the_layout_of_scalemae(tmp_path):
    everything = tensors()
    content = {
        **{"model": everything, "optimizer": {"state": {}}, "epoch": 799},
        "args": argparse.Namespace(model="mae_vit_large_patch16", lr=1.5e-4),
    }
    config, state = read_scalemae(saved(tmp_path, content), heads=4)
    assert config == {"encoder": ViTSize(64, depth=2, heads=4), "channels": 3, "patch_size": 16}
    assert set(state) == set(everything) - set(DECODER)
    for name, tensor in state.items():
        assert torch.equal(tensor, everything[name])


def test_plain_table_of_tensors(tmp_path):
    config, _ = read_scalemae(str(saved(tmp_path, tensors(depth=11))), heads=8)
    assert config["encoder"] == ViTSize(64, depth=11, heads=8)


@pytest.mark.parametrize(("dim", "heads"), [(768, 12), (1024, 16), (1280, 16)])
def test_heads_of_published_sizes(tmp_path, dim, heads):
    config, _ = read_scalemae(saved(tmp_path, tensors(dim, depth=1)))
    assert config["encoder"].heads == heads


NUMBERS = (np.float64(0.25), np.float32(0.5), np.int64(3), np.bool_(True), np.str_("an epoch"))


@pytest.mark.parametrize("maker", [b"numpy._core.multiarray", b"numpy.core.multiarray"])
def test_numbers_of_numpy_beside_the_tensors_are_let_through(tmp_path, maker):
    path = saved(tmp_path, {"model": {"norm.weight": torch.ones(4)}, "numbers": NUMBERS})
    with ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with ZipFile(path, "w") as file:  # numpy's module had its old name when most were published
        for name, part in parts.items():
            file.writestr(name, part.replace(b"numpy._core.multiarray", maker))
    assert torch.equal(load_tensors(path)["norm.weight"], torch.ones(4))


class Foreign:
    """Stands for an object whose loading would run code."""


def without(name, content):
    return {key: value for key, value in content.items() if key != name}


#: What is in the file, the heads that are passed, and what is said.
SCALEMAE_REFUSED = {
    "a width of no published model": (tensors, None, "the width 64 .* pass heads="),
    "another model": (lambda: {"conv1.weight": torch.zeros(1)}, None, "encoder of 0 blocks"),
    "an unknown tensor": (lambda: tensors() | {"head": None}, 4, r"unknown \['head'\] \(1 in all"),
    **{
        f"no {name}": (lambda name=name: without(name, tensors()), 4, rf"missing \['{name}'\]")
        for name in ("blocks.1.attn.qkv.bias", "norm.weight", "patch_embed.proj.weight")
    },
}


@pytest.mark.parametrize(
    ("content", "heads", "pattern"), SCALEMAE_REFUSED.values(), ids=list(SCALEMAE_REFUSED)
)
def test_what_is_no_scalemae_is_refused(tmp_path, content, heads, pattern):
    with pytest.raises(InputError, match=pattern):
        read_scalemae(saved(tmp_path, {"model": content()}), heads=heads)


def truncated(folder):
    path = saved(folder, {"model": tensors()})
    path.write_bytes(path.read_bytes()[:1000])
    return path


def page(folder):
    (folder / "page.pth").write_bytes(b"<html>Not found</html>")
    return folder / "page.pth"


FILES_REFUSED = {
    "no file": (lambda folder: folder / "none.pth", MissingDataError, "no checkpoint at"),
    "a truncated file": (truncated, BrokenDataError, "download it again"),
    "a page of the web": (page, BrokenDataError, "download it again"),
    "an object that may run code": (
        lambda folder: saved(folder, {"model": tensors(), "extra": Foreign()}),
        BrokenDataError,
        r"checkpoint of tensors .* it holds a \S+Foreign, and .* save it without\.$",
    ),
    "an array of numpy": (
        lambda folder: saved(folder, {"model": tensors(), "losses": np.ones(3)}),
        BrokenDataError,
        r"it holds a numpy\S+, and .* save it without\.$",
    ),
    "a list": (lambda folder: saved(folder, [1, 2]), InputError, "holds a list"),
}


@pytest.mark.parametrize(
    ("make", "error", "pattern"), FILES_REFUSED.values(), ids=list(FILES_REFUSED)
)
def test_what_is_no_checkpoint_is_refused_by_all_readers(tmp_path, make, error, pattern):
    path = make(tmp_path)
    for read in (load_tensors, read_scalemae, Croma.from_released):
        with pytest.raises(error, match=pattern):
            read(path)


PARTS = ("s1_encoder", "s1_GAP_FFN", "s2_encoder", "s2_GAP_FFN", "joint_encoder")


def attention(prefix, dim, *, cross):
    names = ("to_q", "to_k", "to_v") if cross else ("to_qkv",)
    width = dim if cross else 3 * dim
    shapes = {f"{prefix}.{name}.weight": (width, dim) for name in names}
    shapes |= {f"{prefix}.to_out.weight": (dim, dim), f"{prefix}.to_out.bias": (dim,)}
    return shapes | {f"{prefix}.input_norm.{tensor}": (dim,) for tensor in ("weight", "bias")}


def network(prefix, dim):
    shapes = {f"{prefix}.net.0.weight": (4 * dim, dim), f"{prefix}.net.0.bias": (4 * dim,)}
    shapes |= {f"{prefix}.net.3.weight": (dim, 4 * dim), f"{prefix}.net.3.bias": (dim,)}
    return shapes | {f"{prefix}.input_norm.{tensor}": (dim,) for tensor in ("weight", "bias")}


def sensor(dim, depth, channels):
    shapes = {"linear_input.weight": (dim, 64 * channels), "linear_input.bias": (dim,)}
    for layer in range(depth):
        shapes |= attention(f"transformer.layers.{layer}.0", dim, cross=False)
        shapes |= network(f"transformer.layers.{layer}.1", dim)
    return shapes | {f"transformer.norm_out.{tensor}": (dim,) for tensor in ("weight", "bias")}


def joint(dim, depth):
    shapes = {f"norm_out.{tensor}": (dim,) for tensor in ("weight", "bias")}
    for layer in range(depth):
        shapes |= attention(f"layers.{layer}.0", dim, cross=False)
        shapes |= attention(f"layers.{layer}.1", dim, cross=True)
        shapes |= network(f"layers.{layer}.2", dim)
    return shapes


def pool(dim):
    return {
        **{"0.weight": (dim,), "0.bias": (dim,), "1.weight": (4 * dim, dim)},
        **{"1.bias": (4 * dim,), "3.weight": (dim, 4 * dim), "3.bias": (dim,)},
    }


def checkpoint(dim=64, depth=4):
    """Five parts under the published names, filled with noise."""
    radar, optical = sensor(dim, depth // 2, 2), sensor(dim, depth, 12)
    shapes = (radar, pool(dim), optical, pool(dim), joint(dim, depth // 2))
    generator = torch.Generator().manual_seed(0)
    return {
        part: {name: 0.1 * torch.randn(shape, generator=generator) for name, shape in each.items()}
        for part, each in zip(PARTS, shapes, strict=True)
    }


def test_width_and_depths_are_those_of_the_tensors():
    config = Croma.from_released(checkpoint(dim=32, depth=6)).config
    assert (config.dim, config.heads, config.patch_size) == (32, 16, 8)
    assert (config.optical_depth, config.radar_depth, config.joint_depth) == (6, 3, 3)
    assert (config.optical_channels, config.radar_channels) == (12, 2)


def test_values_equal_torchgeos_port_with_the_same_weights():
    other = pytest.importorskip("torchgeo.models.croma")
    settings = {"encoder_dim": 64, "encoder_depth": 4, "num_heads": 16, "image_size": 48}
    theirs = other.CROMA(modalities=["sar", "optical"], patch_size=8, **settings).eval()
    parts = checkpoint()
    flat = {f"{part}.{name}": parts[part][name] for part in parts for name in parts[part]}
    keys = theirs.load_state_dict(flat, strict=False)
    assert keys.unexpected_keys == []
    assert set(keys.missing_keys) <= {"attn_bias"}
    generator = torch.Generator().manual_seed(1)
    radar = torch.randn(2, 2, 48, 48, generator=generator)
    optical = torch.randn(2, 12, 48, 48, generator=generator)
    with torch.no_grad():
        expected = theirs(x_sar=radar, x_optical=optical)
        out = Croma.from_released(parts)(radar=radar, optical=optical)
    names = {"sar": "radar", "optical": "optical", "joint": "joint"}
    for their, our in names.items():
        for value, ending in ((f"{our}_tokens", "encodings"), (f"{our}_pooled", "GAP")):
            torch.testing.assert_close(
                out[value], expected[f"{their}_{ending}"], atol=1e-5, rtol=1e-4
            )
        assert expected[f"{their}_encodings"].std() > 0.05


def test_a_file_of_croma_is_read(tmp_path):
    parts = checkpoint()
    torch.save(parts, tmp_path / "CROMA_base.pt")
    from_file = Croma.from_released(tmp_path / "CROMA_base.pt").state_dict()
    for name, tensor in Croma.from_released(parts).state_dict().items():
        assert torch.equal(tensor, from_file[name])


def without_tensor(part, name):
    return checkpoint() | {part: without(name, checkpoint()[part])}


CROMA_REFUSED = {
    "no joint_encoder": (lambda: without("joint_encoder", checkpoint()), r"lacks \['joint_enc"),
    "an unknown tensor": (
        lambda: checkpoint() | {"s1_GAP_FFN": checkpoint()["s1_GAP_FFN"] | {"9": torch.zeros(3)}},
        r"radar_head\.9.*as published",
    ),
    **{
        f"no {name}": (lambda part=part, name=name: without_tensor(part, name), "as published")
        for part, name in (
            ("s2_encoder", "transformer.layers.0.0.to_qkv.weight"),
            ("s1_encoder", "linear_input.bias"),
            ("joint_encoder", "layers.0.2.net.3.bias"),
        )
    },
}


@pytest.mark.parametrize(("content", "pattern"), CROMA_REFUSED.values(), ids=list(CROMA_REFUSED))
def test_what_is_no_croma_is_refused(content, pattern):
    with pytest.raises(InputError, match=pattern):
        Croma.from_released(content())
