"""How fast is ScaleMAE? Run by hand: python benchmarks/bench_scalemae.py --threads 2

One step (forward and backward at 75 % masking) against its floor: timm's transformer of the same
size on as many tokens as are visible, plus the same decoder on features that are already there.
Also the share of the matrix-multiplication rate that this machine reaches on the same threads.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from rsedu.device import pick_device
from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig

# name, encoder, bands, patch, side of the encoder's image, batch, decoder width, heads, Laplacian
CASES = [
    ("tiny", "tiny", 12, 8, 64, 64, 64, 4, 32),
    ("small", "small", 12, 8, 96, 32, 96, 4, 48),
    ("ViT-B", "vit_base_patch16_224", 3, 16, 224, 4, 512, 16, 128),
]


def main() -> None:
    """Print one row per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--case", choices=[case[0] for case in CASES])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = pick_device()
    peak = matmul_rate(device, options.repeats)
    print(f"{device}, {options.threads} threads, matmul {peak / 1e9:.0f} GFLOP/s (float32)")
    print("size    step ms  encoder+decoder ms  ratio  GFLOP  share of matmul")
    for name, *case in CASES:
        if options.case in (None, name):
            print(f"{name:6}", row(case, device, peak, options.repeats))


def row(case: list, device: torch.device, peak: float, repeats: int) -> str:
    """Measure one size."""
    encoder, bands, patch, side, batch, width, heads, laplacian = case
    sizes = {"decoder_dim": width, "decoder_heads": heads, "laplacian_dim": laplacian}
    config = ScaleMAEConfig(encoder=encoder, channels=bands, patch_size=patch, **sizes)
    model = ScaleMAE(config).to(device)
    images = torch.randn(batch, bands, 2 * side, 2 * side, device=device)
    gsd = torch.full((batch,), 10.0, device=device)
    step = whole_step(model, images, gsd)
    floor = encoder_and_decoder(model, images, gsd)
    step_s, floor_s = in_turn([step, floor], device, repeats)
    with FlopCounterMode(display=False) as counter:
        step()
    flop = counter.get_total_flops()
    share = flop / step_s / peak
    return (
        f"{step_s * 1e3:8.1f}  {floor_s * 1e3:18.1f}  {step_s / floor_s:5.2f}"
        f"  {flop / 1e9:5.1f}  {share:14.0%}"
    )


def whole_step(model: ScaleMAE, images: torch.Tensor, gsd: torch.Tensor) -> Callable[[], None]:
    """Return a call that runs the model forward and backward."""

    def step() -> None:
        model.zero_grad()
        model(images, gsd)["loss"].backward()

    return step


def encoder_and_decoder(
    model: ScaleMAE, images: torch.Tensor, gsd: torch.Tensor
) -> Callable[[], None]:
    """Return a call that runs timm's blocks on visible tokens, then the decoder, no more."""
    latent = model._encode_visible(images, gsd, None)
    visible = torch.randn_like(latent.tokens)

    def step() -> None:
        model.zero_grad()
        vit = model.encoder.vit
        tokens = vit.norm(vit.blocks(visible))
        predicted = model._decode(latent._replace(tokens=tokens))
        (predicted.low.square().mean() + predicted.high.abs().mean()).backward()

    return step


def matmul_rate(device: torch.device, repeats: int, side: int = 2048) -> float:
    """Return floating-point operations per second of a large square float32 product."""
    left, right = torch.randn(2, side, side, device=device)
    (seconds,) = in_turn([lambda: left @ right], device, repeats)
    return 2 * side**3 / seconds


def in_turn(calls: list[Callable[[], object]], device: torch.device, repeats: int) -> list[float]:
    """Return the median seconds of each call, run one after the other so that drift hits all."""
    times: list[list[float]] = [[] for _ in calls]
    for repeat in range(repeats + 2):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            if device.type != "cpu":
                torch.accelerator.synchronize()
            if repeat >= 2:  # the first two warm up
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


if __name__ == "__main__":
    main()
