"""That two processes are one with the whole batch is tested in tests/training/test_loop.py."""

import math

import pytest
import torch

from rsedu.blocks.contrastive import gather_rows, info_nce


def loop(first, second, temperature):
    """The definition, one pair at a time."""
    first = [row / row.norm() for row in first]
    second = [row / row.norm() for row in second]
    total = 0.0
    for one, other in ((first, second), (second, first)):
        for index, asked in enumerate(one):
            scores = [float(asked @ answer) / temperature for answer in other]
            partition = math.log(sum(math.exp(score) for score in scores))
            total += partition - scores[index]
    return total / (2 * len(first))


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 7, 5, generator=generator, dtype=torch.float64).unbind()


@pytest.mark.parametrize("temperature", [0.07, 0.5, 3.0])
def test_info_nce_is_the_loop(pair, temperature):
    assert info_nce(*pair, temperature).item() == pytest.approx(loop(*pair, temperature))


def test_it_is_symmetric_and_blind_to_length(pair):
    first, second = pair
    lengths = torch.linspace(0.1, 9, 7, dtype=torch.float64)[:, None]
    assert info_nce(second, first).item() == pytest.approx(info_nce(first, second).item())
    assert info_nce(first * lengths, second).item() == pytest.approx(info_nce(first, second).item())


def test_known_values():
    same = torch.ones(6, 4)
    assert info_nce(same, same).item() == pytest.approx(math.log(6))  # chance
    apart = torch.eye(6, dtype=torch.float64)
    expected = math.log(1 + 5 * math.exp(-1 / 0.07))
    assert info_nce(apart, apart).item() == pytest.approx(expected, rel=1e-3)
    # A cyclic shift is wrong for all: every partner's score is 0, one other's is 1 / t.
    shifted = info_nce(apart, apart.roll(1, dims=0), 1.0).item()
    assert shifted == pytest.approx(math.log(math.e + 5))


def test_the_temperature_learns(pair):
    temperature = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    info_nce(*pair, temperature).backward()
    step = 1e-5
    slope = (info_nce(*pair, 0.5 + step) - info_nce(*pair, 0.5 - step)) / (2 * step)
    assert temperature.grad.item() == pytest.approx(slope.item(), rel=1e-5)


def test_one_process_gathers_nothing(pair):
    assert gather_rows(pair[0]) is pair[0]
