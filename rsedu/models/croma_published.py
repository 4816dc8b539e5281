"""Read a CROMA checkpoint as it was published.

The file maps each of five parts to the state of that part, with names of its own; a patch is
flattened bands first there, and last in this kit.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from rsedu.errors import InputError
from rsedu.models.published import load_tensors

HEADS = 16  # which no tensor tells; of both published sizes
PATCH_SIZE = 8
_SENSORS = {"s1": "radar", "s2": "optical"}
_PARTS = ("s1_encoder", "s1_GAP_FFN", "s2_encoder", "s2_GAP_FFN", "joint_encoder")


def read_croma(
    source: str | Path | Mapping[str, Mapping[str, Tensor]],
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read, check and rename a published checkpoint.

    Args:
        source: The file, or what is in it.

    Returns:
        The arguments of `CromaConfig`, and the state of `Croma`.

    Raises:
        MissingDataError: There is no such file.
        BrokenDataError: It is no PyTorch checkpoint.
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
        channels[sensor] = embed.shape[1] // PATCH_SIZE**2
        encoder["embed.weight"] = _bands_last(embed)
        encoder["embed.bias"] = encoder.pop("linear_input.bias", torch.zeros(0))
        state |= {f"{sensor}_encoder.{name}": tensor for name, tensor in encoder.items()}
        pool = parts[f"{prefix}_GAP_FFN"]
        state |= {f"{sensor}_head.{name}": tensor for name, tensor in pool.items()}
    joint = _blocks(parts["joint_encoder"], layers="layers")
    state |= {f"joint_encoder.{name}": tensor for name, tensor in joint.items()}
    config: dict[str, Any] = {
        "dim": len(state["optical_encoder.embed.bias"]),
        "heads": HEADS,
        "patch_size": PATCH_SIZE,
        **{f"{sensor}_channels": count for sensor, count in channels.items()},
        **{f"{name}_depth": _depth(state, name) for name in ("optical", "radar", "joint")},
    }
    return config, state


def _bands_last(weight: Tensor) -> Tensor:
    """Turn the input of the patch embedding from (bands, y, x) to (y, x, bands)."""
    return rearrange(
        weight,
        "dim (bands y x) -> dim (y x bands)",
        y=PATCH_SIZE,
        x=PATCH_SIZE,
    )


def _blocks(part: Mapping[str, Tensor], *, layers: str) -> dict[str, Tensor]:
    """Rename one encoder: layer i holds self-attention, in the joint one cross-attention, network.

    The published self-attention has one projection for query, key and value, the published
    cross-attention three; here there is one for the query and one for key and value.
    """
    cross = any(".to_q." in name for name in part)
    mlp = 2 if cross else 1
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
        key, value = (renamed.pop(f"{block}.{each}.weight") for each in ("to_k", "to_v"))
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
