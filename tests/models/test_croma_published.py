import pytest
import torch

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.models.croma import Croma

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
    shapes = (
        sensor(dim, depth // 2, 2),
        pool(dim),
        sensor(dim, depth, 12),
        pool(dim),
        joint(dim, depth // 2),
    )
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
    flat = {
        f"{part}.{name}": tensor for part, state in parts.items() for name, tensor in state.items()
    }
    told = theirs.load_state_dict(flat, strict=False)
    assert told.unexpected_keys == []
    assert set(told.missing_keys) <= {"attn_bias"}
    generator = torch.Generator().manual_seed(1)
    radar = torch.randn(2, 2, 48, 48, generator=generator)
    optical = torch.randn(2, 12, 48, 48, generator=generator)
    with torch.no_grad():
        expected = theirs(x_sar=radar, x_optical=optical)
        out = Croma.from_released(parts)(radar=radar, optical=optical)
    names = {"sar": "radar", "optical": "optical", "joint": "joint"}
    for their, our in names.items():
        torch.testing.assert_close(
            out[f"{our}_tokens"], expected[f"{their}_encodings"], atol=1e-5, rtol=1e-4
        )
        torch.testing.assert_close(
            out[f"{our}_pooled"], expected[f"{their}_GAP"], atol=1e-5, rtol=1e-4
        )
        assert expected[f"{their}_encodings"].std() > 0.05


def test_a_file_is_read(tmp_path):
    parts = checkpoint()
    torch.save(parts, tmp_path / "CROMA_base.pt")
    from_file = Croma.from_released(tmp_path / "CROMA_base.pt").state_dict()
    for name, tensor in Croma.from_released(parts).state_dict().items():
        assert torch.equal(tensor, from_file[name])


def test_what_is_no_checkpoint(tmp_path):
    with pytest.raises(MissingDataError, match="no checkpoint at"):
        Croma.from_released(tmp_path / "none.pt")
    (tmp_path / "cut.pt").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(BrokenDataError, match="download it again"):
        Croma.from_released(tmp_path / "cut.pt")


def test_a_missing_part_is_named():
    parts = checkpoint()
    del parts["joint_encoder"]
    with pytest.raises(InputError, match=r"lacks \['joint_encoder'\]"):
        Croma.from_released(parts)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("s2_encoder", "transformer.layers.0.0.to_qkv.weight"),
        ("s1_encoder", "linear_input.bias"),
        ("joint_encoder", "layers.0.2.net.3.bias"),
    ],
)
def test_a_missing_tensor_is_told(part, name):
    parts = checkpoint()
    del parts[part][name]
    with pytest.raises(InputError, match="as published"):
        Croma.from_released(parts)


def test_an_unknown_tensor_is_told():
    parts = checkpoint()
    parts["s1_encoder"]["head.weight"] = torch.zeros(3)
    with pytest.raises(InputError, match=r"head\.weight"):
        Croma.from_released(parts)
