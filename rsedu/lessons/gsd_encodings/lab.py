"""Size on the ground as a label: drawn roofs and a model that reads them, for lesson 03."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from rsedu.models.vit import Encoder, MaskedViTConfig
from rsedu.training.loop import train
from rsedu.training.settings import TrainConfig

#: Sides of the roofs in metres, a factor of about the root of 2 apart: the classes.
SIDES_M = (8.0, 11.0, 16.0, 22.0, 31.0)
#: Metres per pixel that are drawn in training, evenly on a logarithmic scale.
TRAINED_M = (1.0, 3.0)
#: Coarser ones, drawn in the same way, that no model sees before the test.
UNSEEN_M = (3.0, 5.0)
SIDE_PX = 32
NOISE = 0.3


@dataclass(frozen=True, kw_only=True)
class Roofs:
    """A `rsedu.training.sampler.Source` of square roofs on noisy ground, each at a GSD of its own.

    Place, contrast (1 to 2, brighter or darker than the ground) and GSD say nothing about the
    size in metres. Edge pixels are mixed by area, as a sensor's are.

    Attributes:
        seed: of the draws.
        gsds_m: smallest and largest ground sample distance, metres; the same twice for one.
        count: how many samples an epoch has.
    """

    seed: int
    gsds_m: tuple[float, float] = TRAINED_M
    count: int = 1_000_000

    def __len__(self) -> int:
        return self.count

    def batch(
        self, indices: Int64[np.ndarray, "batch"], positions: Int64[np.ndarray, "batch"]
    ) -> Mapping[str, Tensor]:
        """Draw roofs: "images" (B, 1, 32, 32), "gsd" (B,) metres, "labels" (B,) of `SIDES_M`."""
        drawn = [self._draw(int(position)) for position in positions]
        images, gsd, labels = zip(*drawn, strict=True)
        return {
            "images": torch.from_numpy(np.stack(images)),
            "gsd": torch.tensor(gsd, dtype=torch.float32),
            "labels": torch.tensor(labels),
        }

    def _draw(self, position: int) -> tuple[Float32[np.ndarray, "1 rows cols"], float, int]:
        generator = np.random.default_rng((self.seed, position))
        label = int(generator.integers(len(SIDES_M)))
        gsd_m = float(np.exp(generator.uniform(*np.log(self.gsds_m))))
        contrast = generator.choice((-1.0, 1.0)) * generator.uniform(1, 2)
        clean = contrast * roof(SIDES_M[label] / gsd_m, *generator.random(2))
        noisy = clean + NOISE * generator.standard_normal(clean.shape)
        return noisy.astype(np.float32)[None], gsd_m, label


def roof(side_px: float, across: float, down: float) -> Float[np.ndarray, "rows cols"]:
    """Draw a square of 1 on a ground of 0.

    Args:
        side_px: of the roof, in pixels, at most `SIDE_PX`.
        across: where it lies between the left border (0) and the right (1).
        down: where it lies between the upper border (0) and the lower (1).

    Returns:
        (32, 32), the share of each pixel that is roof.
    """
    edges = np.arange(SIDE_PX + 1)
    room = SIDE_PX - side_px
    spans = [np.clip(edges, place * room, place * room + side_px) for place in (down, across)]
    return np.asarray(np.outer(*(np.diff(span) for span in spans)))


class SizeReader(nn.Module):
    """A small vision transformer (4 layers, 96 wide) that says which of `SIDES_M` it sees.

    Args:
        gsd_encoding: whether positions are measured in metres (True) or counted in patches.
    """

    def __init__(self, *, gsd_encoding: bool) -> None:
        super().__init__()
        config = MaskedViTConfig(channels=1, patch_size=8, gsd_encoding=gsd_encoding)
        self.encoder = Encoder(config)
        self.head = nn.Linear(self.encoder.dim, len(SIDES_M))

    def scores(
        self, images: Float32[Tensor, "batch 1 rows cols"], gsd: Float32[Tensor, "batch"]
    ) -> Float32[Tensor, "batch classes"]:
        """Return (B, 5) logits, one per entry of `SIDES_M`; `gsd` (B,) is in metres per pixel."""
        logits: Tensor = self.head(self.encoder.features(images, gsd))
        return logits

    def forward(
        self,
        images: Float32[Tensor, "batch 1 rows cols"],
        gsd: Float32[Tensor, "batch"],
        labels: Int64[Tensor, "batch"],
    ) -> dict[str, Tensor]:
        """Return the cross-entropy as "loss"."""
        return {"loss": F.cross_entropy(self.scores(images, gsd), labels)}


def learn_sizes(
    seed: int,
    *,
    gsd_encoding: bool,
    gsds_m: tuple[float, float] = TRAINED_M,
    steps: int = 500,
    progress: bool = False,
) -> SizeReader:
    """Train a reader; both encodings of a seed see the same roofs.

    Args:
        seed: of the weights and the roofs.
        gsd_encoding: as in `SizeReader`.
        gsds_m: smallest and largest GSD of the roofs, metres per pixel.
        steps: of 32 roofs.
        progress: show a bar.
    """
    torch.manual_seed(seed)
    model = SizeReader(gsd_encoding=gsd_encoding)
    config = TrainConfig(steps=steps, batch_size=32, blr=8e-3, warmup_steps=50, seed=seed)
    train(model, Roofs(seed=seed, gsds_m=gsds_m), config, device="cpu", progress=progress)
    return model.eval()


@torch.no_grad()
def read_sizes(
    model: SizeReader, gsds_m: tuple[float, float], *, told: float = 1.0, count: int = 1000
) -> tuple[Int64[np.ndarray, "samples"], Int64[np.ndarray, "samples"]]:
    """Ask a model about roofs that no training has seen.

    Args:
        model: trained.
        gsds_m: smallest and largest GSD of the roofs, metres per pixel.
        told: factor between the GSD that the model is told and the true one; 1 is the truth.
        count: of roofs.

    Returns:
        (N,) predicted and (N,) true indices into `SIDES_M`.
    """
    numbers = np.arange(count)
    roofs = Roofs(seed=10_000, gsds_m=gsds_m).batch(numbers, numbers)
    predicted = model.scores(roofs["images"], told * roofs["gsd"]).argmax(dim=1)
    return predicted.numpy(), roofs["labels"].numpy()
