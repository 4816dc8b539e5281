"""Contrastive loss (InfoNCE): which two of a batch belong together, on one machine or on many."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed
from torch.nn import functional as F


def info_nce(
    first: Float[Tensor, "batch dim"],
    second: Float[Tensor, "batch dim"],
    temperature: Float[Tensor, ""] | float = 0.07,
) -> Float[Tensor, ""]:
    """InfoNCE: find the partner of each sample in the other set; all others are negatives.

    Args:
        first: (B, D) of any length; row i of both sets belongs together. Under a process group
            the rows of all processes form one batch, the same number on each.
        second: (B, D).
        temperature: What similarities are divided by, above 0.

    Returns:
        Scalar: the mean of both directions' cross-entropies, of the rows that live here. Chance
        is log(batch of all processes).

    With s_ij = cos(a_i, b_j) / t: L = -1/2 mean_i [log softmax_j(s_ij)_i + log softmax_j(s_ji)_i].
    Oord et al. 2018, arXiv 1807.03748; both directions as in Radford et al. 2021, arXiv
    2103.00020. Unlike CROMA's released code, negatives of other processes carry gradient: the
    mean over processes equals, and is differentiated as, one process with the whole batch.
    """
    first, second = F.normalize(first, dim=-1), F.normalize(second, dim=-1)
    all_first, all_second = gather_rows(first), gather_rows(second)
    partner = torch.arange(len(first), device=first.device) + len(first) * _rank()
    forth = F.cross_entropy(first @ all_second.T / temperature, partner)
    back = F.cross_entropy(second @ all_first.T / temperature, partner)
    return (forth + back) / 2


def gather_rows(rows: Float[Tensor, "batch dim"]) -> Float[Tensor, "batches dim"]:
    """Stack the rows of all processes in the order of their ranks, with gradient.

    Each has the same B, so that (processes * B, D) come back; `rows` itself from one process.
    """
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return rows
    gathered: Tensor = _Gather.apply(rows)
    return gathered


def _rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


class _Gather(torch.autograd.Function):
    """all_gather, whose gradient sums what every process found out about these rows."""

    @staticmethod
    def forward(context: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        summed = gradient.contiguous()
        distributed.all_reduce(summed)
        return summed.chunk(distributed.get_world_size())[distributed.get_rank()]
