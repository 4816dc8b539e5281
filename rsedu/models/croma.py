"""CROMA: one encoder for radar, one for optical, one that reads both.

Fuller, Millard and Green 2023, "CROMA: Remote Sensing Representations with Contrastive
Radar-Optical Masked Autoencoders", NeurIPS, arXiv 2311.00566. How it is trained stands in
`rsedu.models.croma_pretraining`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from rsedu.blocks.attention import Block
from rsedu.blocks.patches import grid_shape, patchify
from rsedu.blocks.position import alibi_2d, sincos_2d
from rsedu.errors import InputError
from rsedu.models.published import read_croma
from rsedu.models.vit import initialise

Positions = Literal["alibi", "sincos"]


@dataclass(frozen=True, kw_only=True)
class CromaConfig:
    """How a CROMA is made. The released base model: dim 768, 16 heads, depths 12, 6 and 6.

    Attributes:
        dim: Width of a token, a multiple of 4 and of `heads`.
        heads: Attention heads in each block of all three encoders.
        optical_depth: Blocks of the optical encoder.
        radar_depth: Blocks of the radar encoder.
        joint_depth: Blocks of the joint encoder.
        optical_channels: Bands, 12 in the order of `rsedu.scenes.bands.S2_BANDS`.
        radar_channels: Polarisations, VV and VH.
        patch_size: Side of a patch in pixels.
        positions: "alibi" biases attention by distance; "sincos" adds the absolute code of MAE
            instead, for comparison.
    """

    dim: int = 96
    heads: int = 8
    optical_depth: int = 4
    radar_depth: int = 2
    joint_depth: int = 2
    optical_channels: int = 12
    radar_channels: int = 2
    patch_size: int = 8
    positions: Positions = "alibi"


class SensorEncoder(nn.Module):
    """Transformer over the patches of one sensor: no class token, no position code of its own."""

    def __init__(self, config: CromaConfig, *, channels: int, depth: int) -> None:
        super().__init__()
        self.channels = channels
        self.embed = nn.Linear(config.patch_size**2 * channels, config.dim)
        self.blocks = nn.ModuleList(Block(config.dim, config.heads) for _ in range(depth))
        self.norm = nn.LayerNorm(config.dim)

    def forward(
        self,
        patches: Float[Tensor, "batch tokens values"],
        *,
        code: Float[Tensor, "#batch tokens dim"] | None = None,
        bias: Float[Tensor, "#batch heads tokens tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens dim"]:
        """Encode patches, all of them or some.

        Args:
            patches: (B, N, P * P * C) as `patchify` orders them.
            code: (1 or B, N, D), added to the tokens.
            bias: (1 or B, heads, N, N), added to the logits of every attention.
        """
        tokens = self.embed(patches)
        if code is not None:
            tokens = tokens + code
        for block in self.blocks:
            tokens = block(tokens, bias=bias)
        out: Tensor = self.norm(tokens)
        return out


class JointEncoder(nn.Module):
    """Transformer over the radar tokens that looks at the optical ones in each block."""

    def __init__(self, config: CromaConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(config.dim, config.heads, cross=True) for _ in range(config.joint_depth)
        )
        self.norm = nn.LayerNorm(config.dim)

    def forward(
        self,
        radar: Float[Tensor, "batch tokens dim"],
        optical: Float[Tensor, "batch others dim"],
        *,
        bias: Float[Tensor, "#batch heads tokens tokens"] | None = None,
        cross_bias: Float[Tensor, "#batch heads tokens others"] | None = None,
    ) -> Float[Tensor, "batch tokens dim"]:
        """Join the tokens of both sensors, (B, N, D) and (B, M, D).

        Args:
            radar: From the radar encoder.
            optical: From the optical encoder.
            bias: (1 or B, heads, N, N), radar to radar.
            cross_bias: (1 or B, heads, N, M), radar to optical: X-ALiBi.

        Returns:
            (B, N, D), one token at the place of each radar token.
        """
        tokens = radar
        for block in self.blocks:
            tokens = block(tokens, optical, bias=bias, context_bias=cross_bias)
        out: Tensor = self.norm(tokens)
        return out


def _pool_head(dim: int) -> nn.Sequential:
    """What turns the mean token of one sensor into the vector that is contrasted."""
    return nn.Sequential(
        nn.LayerNorm(dim), nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim)
    )


class Croma(nn.Module):
    """Encoders for radar, optical and both.

    Images of any size that whole patches fill are welcome, also of sizes unseen in training.
    """

    def __init__(self, config: CromaConfig | None = None) -> None:
        super().__init__()
        self.config = config or CromaConfig()
        made = self.config
        radar, optical = made.radar_channels, made.optical_channels
        self.radar_encoder = SensorEncoder(made, channels=radar, depth=made.radar_depth)
        self.optical_encoder = SensorEncoder(made, channels=optical, depth=made.optical_depth)
        self.joint_encoder = JointEncoder(made)
        self.radar_head, self.optical_head = _pool_head(made.dim), _pool_head(made.dim)
        initialise(self)

    def forward(
        self,
        *,
        radar: Float[Tensor, "batch 2 height width"] | None = None,
        optical: Float[Tensor, "batch 12 height width"] | None = None,
    ) -> dict[str, Tensor]:
        """Encode what there is.

        Args:
            radar: (B, 2, H, W) float32, VV and VH in dB, standardised.
            optical: (B, 12, H, W) float32, surface reflectance, standardised; the same places on
                the same grid.

        Returns:
            Per sensor "radar_tokens", "optical_tokens" (B, N, D) and "radar_pooled",
            "optical_pooled" (B, D); with both sensors also "joint_tokens" (B, N, D), at the
            places of the radar patches, and "joint_pooled" (B, D).

        Raises:
            InputError: As `check`.
        """
        images = {"radar": radar, "optical": optical}
        given = {name: image for name, image in images.items() if image is not None}
        grid = self.check(given)
        code, bias = self._positions(grid, next(iter(given.values())))
        out: dict[str, Tensor] = {}
        for name, image in given.items():
            encoder, head = getattr(self, f"{name}_encoder"), getattr(self, f"{name}_head")
            patches = patchify(image, self.config.patch_size)  # (B, N, P * P * C)
            tokens = encoder(patches, code=code, bias=bias)  # (B, N, D)
            out |= {f"{name}_tokens": tokens, f"{name}_pooled": head(tokens.mean(dim=1))}
        if len(given) == len(images):
            sensors = out["radar_tokens"], out["optical_tokens"]
            joint = self.joint_encoder(*sensors, bias=bias, cross_bias=bias)
            out |= {"joint_tokens": joint, "joint_pooled": joint.mean(dim=1)}
        return out

    def check(self, images: Mapping[str, Tensor]) -> tuple[int, int]:
        """Return the grid (rows, cols), in patches, of images by sensor, each (B, C, H, W).

        Raises:
            InputError: No sensor, a wrong number of bands, no whole patches, or grids that differ.
        """
        if not images:
            raise InputError("neither radar nor optical came: give one sensor, or both.")
        wanted = {"radar": self.config.radar_channels, "optical": self.config.optical_channels}
        for name, image in images.items():
            if image.shape[1] != wanted[name]:
                raise InputError(
                    f"{name} has {image.shape[1]} bands, but the model was made for "
                    f"{wanted[name]}: select them, and mind their order."
                )
        sizes = {name: (len(image), *image.shape[-2:]) for name, image in images.items()}
        if len(set(sizes.values())) > 1:
            raise InputError(
                f"radar and optical differ in (images, height, width): {sizes}; bring both onto "
                "one grid first, e.g. with Scene.resample_to."
            )
        return grid_shape(next(iter(images.values())), self.config.patch_size)

    @classmethod
    def from_released(cls, source: str | Path | Mapping[str, Mapping[str, Tensor]]) -> "Croma":
        """Make the model of a published checkpoint, CROMA_base.pt or CROMA_large.pt.

        Args:
            source: The file, or what is in it: the state of each of its five parts by name.

        Returns:
            A model in evaluation mode on the CPU; width and depths are those of the tensors.

        Raises:
            MissingDataError, BrokenDataError: As `read_croma`.
            InputError: A part or a tensor is missing, or one is unknown.
        """
        config, state = read_croma(source)
        model = cls(replace(CromaConfig(), **config))
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            difference = " ".join(str(error).split())[:300]
            raise InputError(
                f"the tensors are not those of a CROMA of {config} ({difference} ...): "
                "give the checkpoint as published."
            ) from error
        return model.eval()

    def _positions(
        self, grid: tuple[int, int], like: Tensor
    ) -> tuple[Tensor | None, Tensor | None]:
        """What is added to the tokens, and what to the logits: one of both, by the config."""
        if self.config.positions == "sincos":
            code = sincos_2d(self.config.dim, grid, device=like.device)
            return code[None], None  # (1, N, D)
        return None, alibi_2d(self.config.heads, grid, device=like.device)  # (1, heads, N, N)
