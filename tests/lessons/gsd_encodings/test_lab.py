"""Drawn roofs: what is drawn is as large as the label says, and nothing else gives it away."""

import numpy as np
import pytest
import torch

from rsedu.lessons.gsd_encodings import lab
from rsedu.lessons.gsd_encodings.lab import (
    SIDES_M,
    Roofs,
    SizeReader,
    learn_sizes,
    read_sizes,
    roof,
)


@pytest.mark.parametrize("side_px", [0.7, 2.0, 5.3, 31.0])
@pytest.mark.parametrize(("across", "down"), [(0.0, 0.0), (0.4, 0.9), (1.0, 1.0)])
def test_a_roof_covers_its_area(side_px: float, across: float, down: float) -> None:
    shares = roof(side_px, across, down)
    assert shares.shape == (32, 32) and shares.min() >= 0 and shares.max() <= 1
    assert shares.sum() == pytest.approx(side_px**2)


def test_a_roof_lies_where_it_should() -> None:
    shares = roof(4.0, 1.0, 0.0)  # upper right
    assert (shares[:4, 28:] == 1).all() and shares.sum() == 16


def test_a_label_is_a_size_on_the_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "NOISE", 0.0)
    numbers = np.arange(40)
    drawn = Roofs(seed=3, gsds_m=(1.5, 4.0)).batch(numbers, numbers)
    image, gsd = drawn["images"].numpy()[:, 0], drawn["gsd"].numpy()
    sides = np.array(SIDES_M)[drawn["labels"].numpy()] / gsd
    whole = sides > 4  # some pixel is all roof, so that its contrast can be read off
    peak = np.abs(image).max(axis=(1, 2))
    area_px = np.abs(image.sum(axis=(1, 2))) / peak
    np.testing.assert_allclose(area_px[whole], sides[whole] ** 2, rtol=1e-4)
    assert ((peak[whole] >= 1) & (peak[whole] <= 2)).all()
    assert whole.sum() > 10 and {1, -1} == set(np.sign(image.sum(axis=(1, 2))))


def test_samples_follow_from_seed_and_position_only() -> None:
    one, other = Roofs(seed=1), Roofs(seed=2)
    first = one.batch(np.array([0, 1, 2]), np.array([4, 5, 6]))
    again = one.batch(np.array([7, 8]), np.array([5, 6]))
    torch.testing.assert_close(first["images"][1:], again["images"])
    assert not torch.equal(other.batch(np.array([0]), np.array([4]))["images"], first["images"][:1])


def test_gsds_fill_their_range_evenly_in_octaves() -> None:
    numbers = np.arange(2000)
    drawn = Roofs(seed=0, gsds_m=(1.0, 4.0)).batch(numbers, numbers)
    gsd, labels = drawn["gsd"].numpy(), drawn["labels"].numpy()
    assert gsd.min() >= 1 and gsd.max() <= 4
    assert (gsd < 2).mean() == pytest.approx(0.5, abs=0.04)
    assert abs(np.corrcoef(gsd, labels)[0, 1]) < 0.06
    assert np.bincount(labels) == pytest.approx(np.full(5, 400), abs=60)


def test_the_plain_reader_cannot_hear_the_gsd() -> None:
    torch.manual_seed(0)
    images, gsd = torch.randn(3, 1, 32, 32), torch.tensor([1.0, 2.0, 3.0])
    plain, measuring = SizeReader(gsd_encoding=False), SizeReader(gsd_encoding=True)
    torch.testing.assert_close(plain.scores(images, gsd), plain.scores(images, 2 * gsd))
    heard = measuring.scores(images, gsd) - measuring.scores(images, 2 * gsd)
    assert heard.abs().max() > 1e-3


def test_a_reader_learns_and_repeats_itself() -> None:
    model = learn_sizes(0, gsd_encoding=True, steps=60)
    again = learn_sizes(0, gsd_encoding=True, steps=60)
    predicted, true = read_sizes(model, (2.0, 2.0), count=200)
    assert (predicted == true).mean() > 0.25  # five classes, a few steps
    np.testing.assert_array_equal(read_sizes(again, (2.0, 2.0), count=200)[0], predicted)


def test_told_scales_the_gsd_and_not_the_roofs(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = {}

    def note(images: torch.Tensor, gsd: torch.Tensor) -> torch.Tensor:
        heard["gsd"], heard["images"] = gsd, images
        return torch.zeros(len(images), len(SIDES_M))

    model = SizeReader(gsd_encoding=True)
    monkeypatch.setattr(model, "scores", note)
    read_sizes(model, (2.0, 2.0), told=0.5, count=20)
    half = dict(heard)
    read_sizes(model, (2.0, 2.0), count=20)
    torch.testing.assert_close(half["gsd"], torch.ones(20))
    torch.testing.assert_close(heard["gsd"], torch.full((20,), 2.0))
    torch.testing.assert_close(half["images"], heard["images"])
