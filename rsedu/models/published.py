"""Read the encoder of a Scale-MAE checkpoint as it was published.

The file is a PyTorch archive whose "model" entry maps parameter names to tensors, the encoder's
named as timm names them, beside the decoder, the optimiser and an `argparse.Namespace`.
"""

import argparse
import pickle
import re
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.models.vit import ViTSize


class NonCommercialWeightsWarning(UserWarning):
    """Weights that were loaded may not be used commercially."""


class Released(NamedTuple):
    """A published encoder.

    Attributes:
        state: Encoder tensors under timm's names.
        size: Width, depth and heads.
        channels: Bands of an image.
        patch_size: Side of a patch in pixels.
        ignored: Names of the tensors that were left out: the decoder, and position codes that
            the published model stores but never reads.
    """

    state: dict[str, Tensor]
    size: ViTSize
    channels: int
    patch_size: int
    ignored: tuple[str, ...]


# Which tensors belong to the decoder (fpn, fcn: its Laplacian head), or are never read.
_IGNORED = re.compile(r"(pos_embed$|decoder_|mask_token|fpn\.|fcn|pos_emb_projection\.)")
_TENSORS = ("weight", "bias")
_BLOCK = tuple(
    f"{layer}.{tensor}"
    for layer in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
    for tensor in _TENSORS
)
_KNOWN_HEADS = {768: 12, 1024: 16, 1280: 16}  # ViT-B, L, H


def read_released(path: str | Path, *, heads: int | None = None) -> Released:
    """Read and check a published checkpoint.

    Args:
        path: The file.
        heads: Attention heads, if the width is not that of a ViT-B, L or H.

    Returns:
        A `Released`, its tensors on the CPU.

    Raises:
        MissingDataError: There is no such file.
        BrokenDataError: It is no PyTorch checkpoint.
        InputError: A tensor of the encoder is missing, one is unknown, or `heads` is needed.
    """
    tensors = load_tensors(Path(path))
    state = {name: tensor for name, tensor in tensors.items() if not _IGNORED.match(name)}
    depth = len({name.split(".")[1] for name in state if name.startswith("blocks.")})
    _check_names(set(state), depth, path)
    dim, channels, patch_size, _ = state["patch_embed.proj.weight"].shape
    size = ViTSize(dim, depth, _heads(dim, heads))
    ignored = tuple(sorted(set(tensors) - set(state)))
    return Released(state, size, channels, patch_size, ignored)


def load_tensors(path: Path) -> dict[str, Any]:
    """Load a PyTorch archive of tensors; of Python objects only one is let through, without code.

    Args:
        path: The file.

    Returns:
        Its "model" entry, or all of it where there is none: names to tensors, or to more names.

    Raises:
        MissingDataError: There is no such file.
        BrokenDataError: It is no PyTorch checkpoint.
        InputError: It holds something else than names and tensors.
    """
    if not path.is_file():
        raise MissingDataError(f"no checkpoint at {path}: download it first, or correct the path.")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise BrokenDataError(
            f"{path} is no PyTorch checkpoint of tensors ({type(error).__name__}): "
            "compare its size with the published one and download it again."
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}, but a checkpoint is a dict.")
    model: dict[str, Any] = content.get("model", content)
    return model


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


def _heads(dim: int, heads: int | None) -> int:
    if heads is None and dim not in _KNOWN_HEADS:
        raise InputError(f"the width {dim} is of no published model: pass heads=.")
    return heads or _KNOWN_HEADS[dim]
