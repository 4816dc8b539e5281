"""Published checkpoints of Scale-MAE and CROMA, read as their authors published them.

Scale-MAE's file has a "model" entry with tensors under timm's names, beside the decoder, the
optimiser and an `argparse.Namespace`. CROMA's maps each of five parts to its state, with names of
its own; a patch is flattened bands first there, and last in this kit.
"""

import argparse
import codecs
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.models.vit import ViTSize


class NonCommercialWeightsWarning(UserWarning):
    """Weights that were loaded may not be used commercially."""


# What a numpy number is pickled with; files of before numpy 2 have the other name of its maker.
_scalar: Any = np.float64(0).__reduce__()[0]
_NUMPY: tuple[Any, ...] = (
    *(_scalar, (_scalar, "numpy.core.multiarray.scalar"), codecs.encode, np.dtype),
    *{type(np.dtype(code)) for code in "?SU" + np.typecodes["AllInteger"] + np.typecodes["Float"]},
)


def load_tensors(path: Path) -> dict[str, Any]:
    """Load a PyTorch archive: tensors, numpy's numbers and a namespace, but nothing that runs code.

    Returns:
        Its "model" entry, or all of it where there is none: names to tensors, or to more names.

    Raises:
        MissingDataError: There is no such file.
        BrokenDataError: It is no PyTorch checkpoint, or holds another object, which is named.
        InputError: It holds something else than names and tensors.
    """
    if not path.is_file():
        raise MissingDataError(f"no checkpoint at {path}: download it first, or correct the path.")
    try:
        with torch.serialization.safe_globals([argparse.Namespace, *_NUMPY]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        odd = re.search(r"Unsupported global: GLOBAL (\S+)", str(error))
        raise BrokenDataError(
            f"{path} is no PyTorch checkpoint of tensors ({type(error).__name__}): "
            + (
                f"it holds a {odd[1]}, and loading that may run code; save it without."
                if odd
                else "compare its size with the published one and download it again."
            )
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}, but a checkpoint is a dict.")
    model: dict[str, Any] = content.get("model", content)
    return model


# Which tensors belong to the decoder (fpn, fcn: its Laplacian head), or are never read.
_IGNORED = re.compile(r"(pos_embed$|decoder_|mask_token|fpn\.|fcn|pos_emb_projection\.)")
_TENSORS = ("weight", "bias")
_BLOCK = tuple(
    f"{layer}.{tensor}"
    for layer in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
    for tensor in _TENSORS
)
_KNOWN_HEADS = {768: 12, 1024: 16, 1280: 16}  # ViT-B, L, H


def read_scalemae(
    path: str | Path, *, heads: int | None = None
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read and check a published checkpoint of Scale-MAE.

    Args:
        path: The file.
        heads: Attention heads, if the width is not that of a ViT-B, L or H.

    Returns:
        The arguments of `ScaleMAEConfig`, and the state of its encoder's transformer.

    Raises:
        MissingDataError, BrokenDataError: As `load_tensors`.
        InputError: A tensor of the encoder is missing, one is unknown, or `heads` is needed.
    """
    tensors = load_tensors(Path(path))
    state = {name: tensor for name, tensor in tensors.items() if not _IGNORED.match(name)}
    depth = len({name.split(".")[1] for name in state if name.startswith("blocks.")})
    _check_names(set(state), depth, path)
    dim, channels, patch_size, _ = state["patch_embed.proj.weight"].shape
    if heads is None and dim not in _KNOWN_HEADS:
        raise InputError(f"the width {dim} is of no published model: pass heads=.")
    size = ViTSize(dim, depth, heads or _KNOWN_HEADS[dim])
    return {"encoder": size, "channels": channels, "patch_size": patch_size}, state


def _check_names(names: set[str], depth: int, path: str | Path) -> None:
    """Compare the encoder's tensors with those a ViT of this depth has."""
    wanted = {
        "cls_token",
        *(f"{layer}.{t}" for layer in ("patch_embed.proj", "norm") for t in _TENSORS),
    }
    wanted |= {f"blocks.{block}.{name}" for block in range(max(depth, 1)) for name in _BLOCK}
    missing, unknown = sorted(wanted - names), sorted(names - wanted)
    if missing or unknown:
        raise InputError(
            f"{path} is no Scale-MAE encoder of {depth} blocks: missing {missing[:5]}"
            f" ({len(missing)} in all), unknown {unknown[:5]} ({len(unknown)} in all): "
            "give the published pre-training checkpoint."
        )


_CROMA_HEADS, _CROMA_PATCH = 16, 8  # of both published sizes, which no tensor tells
_SENSORS = {"s1": "radar", "s2": "optical"}
_PARTS = ("s1_encoder", "s1_GAP_FFN", "s2_encoder", "s2_GAP_FFN", "joint_encoder")


def read_croma(
    source: str | Path | Mapping[str, Mapping[str, Tensor]],
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read, check and rename a published checkpoint of CROMA: the file, or what is in it.

    Returns:
        The arguments of `CromaConfig`, and the state of `Croma`.

    Raises:
        MissingDataError, BrokenDataError: As `load_tensors`.
        InputError: A part is missing; tensors are compared by `Croma.from_released`.
    """
    parts = load_tensors(Path(source)) if isinstance(source, str | Path) else dict(source)
    missing = [part for part in _PARTS if part not in parts]
    if missing:
        raise InputError(
            f"the checkpoint has {sorted(parts)[:8]} and lacks {missing}: "
            "give CROMA_base.pt or CROMA_large.pt as published."
        )
    state: dict[str, Tensor] = {}
    channels: dict[str, int] = {}
    for prefix, sensor in _SENSORS.items():
        encoder = _blocks(parts[f"{prefix}_encoder"], layers="transformer.layers")
        embed = encoder.pop("linear_input.weight", torch.zeros(0, 0))
        channels[sensor] = embed.shape[1] // _CROMA_PATCH**2
        pattern = "d (c y x) -> d (y x c)"
        encoder["embed.weight"] = rearrange(embed, pattern, y=_CROMA_PATCH, x=_CROMA_PATCH)
        encoder["embed.bias"] = encoder.pop("linear_input.bias", torch.zeros(0))
        state |= {f"{sensor}_encoder.{name}": tensor for name, tensor in encoder.items()}
        pool = parts[f"{prefix}_GAP_FFN"]
        state |= {f"{sensor}_head.{name}": tensor for name, tensor in pool.items()}
    joint = _blocks(parts["joint_encoder"], layers="layers")
    state |= {f"joint_encoder.{name}": tensor for name, tensor in joint.items()}
    config: dict[str, Any] = {
        "dim": len(state["optical_encoder.embed.bias"]),
        "heads": _CROMA_HEADS,
        "patch_size": _CROMA_PATCH,
        **{f"{sensor}_channels": count for sensor, count in channels.items()},
        **{f"{name}_depth": _depth(state, name) for name in ("optical", "radar", "joint")},
    }
    return config, state


def _blocks(part: Mapping[str, Tensor], *, layers: str) -> dict[str, Tensor]:
    """Rename one encoder: layer i holds self-attention, in the joint one cross-attention, network.

    Published self-attention has one projection for query, key and value, cross-attention has
    three; here there is one for the query and one for key and value.
    """
    mlp = 2 if any(".to_q." in name for name in part) else 1
    renamed: dict[str, Tensor] = {}
    for name, tensor in part.items():
        match = re.fullmatch(rf"{re.escape(layers)}\.(\d+)\.(\d+)\.(.+)", name)
        if match is None:
            renamed[re.sub(r"^(transformer\.)?norm_out\.", "norm.", name)] = tensor
            continue
        block, layer, rest = f"blocks.{match[1]}", int(match[2]), match[3]
        kind = "mlp" if layer == mlp else ("self", "cross")[layer]
        renamed |= _layer(block, kind, rest, tensor)
    for block in {name.rsplit(".", 2)[0] for name in renamed if ".to_k." in name}:
        key, value = (renamed.pop(f"{block}.{name}.weight") for name in ("to_k", "to_v"))
        renamed[f"{block}.key_value.weight"] = torch.cat([key, value])
    return renamed


def _layer(block: str, kind: str, rest: str, tensor: Tensor) -> dict[str, Tensor]:
    """Rename one tensor of a layer; query, key and value of one projection are taken apart."""
    if rest.startswith("input_norm."):
        return {f"{block}.norm_{kind}.{rest.removeprefix('input_norm.')}": tensor}
    if kind == "mlp":
        numbered = {"net.0.": "0.", "net.3.": "2."}  # the published one has a dropout between
        return {f"{block}.mlp.{numbered.get(rest[:6], rest[:6])}{rest[6:]}": tensor}
    attention = f"{block}.{kind}_attention"
    if rest == "to_qkv.weight":
        third = len(tensor) // 3
        query, key_value = tensor[:third], tensor[third:]
        return {f"{attention}.query.weight": query, f"{attention}.key_value.weight": key_value}
    renamed = rest.replace("to_q.", "query.").replace("to_out.", "proj.")
    return {f"{attention}.{renamed}": tensor}


def _depth(state: Mapping[str, Tensor], encoder: str) -> int:
    prefix = f"{encoder}_encoder.blocks."
    return len({name.split(".")[2] for name in state if name.startswith(prefix)})
