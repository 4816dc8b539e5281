import numpy as np
import pytest
import torch

from rsedu.segment.prompt import Point, box_of
from rsedu.segment.regions import components, interior_point
from rsedu.segment.simulated_user import boxes_of, corrections, jittered, next_click, points_in


def _masks() -> torch.Tensor:
    masks = torch.zeros(3, 10, 14, dtype=torch.bool)
    masks[0, 2:5, 3:9] = True
    masks[1, 9, 0] = True
    masks[2, 0:10, 13] = True
    return masks


def test_boxes_are_those_of_each_mask_alone() -> None:
    found = boxes_of(_masks(), cell_px=4.0)
    expected = [[4 * edge for edge in box_of(mask.numpy())] for mask in _masks()]
    assert found.tolist() == expected


def test_points_fall_on_every_cell_of_their_region_and_on_no_other() -> None:
    hits = torch.zeros(3, 10, 14, dtype=torch.int64)
    for _ in range(300):
        cells = ((points_in(_masks(), cell_px=4.0) + 0.5) / 4).long()
        for number, (col, row) in enumerate(cells.tolist()):
            hits[number, row, col] += 1
    assert ((hits > 0) == _masks()).all()


def test_a_click_lies_anywhere_in_its_cell() -> None:
    region = torch.zeros(400, 4, 4, dtype=torch.bool)
    region[:, 2, 1] = True
    points = points_in(region, cell_px=4.0)
    # SAM adds half a pixel: column 1 then spans 4 to 8, row 2 spans 8 to 12.
    low, high = points.amin(dim=0) + 0.5, points.amax(dim=0) + 0.5
    assert low[0] >= 4 and high[0] <= 8 and low[1] >= 8 and high[1] <= 12
    assert (high - low > 3.5).all()


def test_an_empty_region_is_everywhere() -> None:
    points = points_in(torch.zeros(50, 4, 4, dtype=torch.bool))
    assert len(torch.unique((points + 0.5).long(), dim=0)) > 8


def test_corrections_are_on_errors_and_know_their_sign() -> None:
    truth, predicted = torch.zeros(2, 200, 6, 6, dtype=torch.bool)
    truth[:, 1, 1] = True  # missed
    predicted[:, 4, 5] = True  # too much
    truth[:, 3, 3] = predicted[:, 3, 3] = True  # right
    points, labels = corrections(predicted, truth, cell_px=2.0)
    cells = ((points + 0.5) / 2).long()
    on_missed = (cells == torch.tensor([1, 1])).all(dim=1)
    on_extra = (cells == torch.tensor([5, 4])).all(dim=1)
    assert (on_missed | on_extra).all() and on_missed.any() and on_extra.any()
    assert (labels[on_missed] == 1).all() and (labels[on_extra] == 0).all()


def test_a_hand_moves_edges_by_a_share_of_the_side() -> None:
    boxes = torch.tensor([[50.0, 100.0, 90.0, 110.0]]).repeat(4000, 1)
    moved = jittered(boxes, share=0.1, most_px=20, side_px=256) - boxes
    assert moved.std(dim=0).tolist() == pytest.approx([4, 1, 4, 1], rel=0.1)
    assert jittered(boxes, share=9, most_px=2, side_px=256).sub(boxes).abs().max() <= 2.001
    assert jittered(boxes, share=9, most_px=500, side_px=111).max() <= 111


def test_the_next_click_is_in_the_middle_of_the_largest_error() -> None:
    truth, predicted = np.zeros((2, 30, 30), dtype=bool)
    truth[2:9, 3:10] = True  # 7 x 7, missed: its middle is (6, 5)
    predicted[20:25, 20:24] = True
    assert next_click(predicted, truth) == ((6.0, 5.0), 1)
    predicted[10:30, 10:29] = True  # 20 x 19 at the edge of the image, wrong
    found = next_click(predicted, truth)
    assert found is not None and found[1] == 0
    assert predicted[int(found[0][1]), int(found[0][0])]


def _by_all_parts(predicted: np.ndarray, truth: np.ndarray) -> tuple[Point, int] | None:
    """The click by every part of every error, each as a mask."""
    missed, extra = components(truth & ~predicted), components(predicted & ~truth)
    worst = max((*missed, *extra), key=lambda region: int(region.sum()), default=None)
    if worst is None:
        return None
    return interior_point(worst), int(any(worst is region for region in missed))


@pytest.mark.parametrize("seed", range(60))
def test_the_next_click_is_that_of_all_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, truth = rng.random((2, 9, 12)) < rng.random((2, 1, 1))
    assert next_click(predicted, truth) == _by_all_parts(predicted, truth)


def test_of_equal_errors_the_missed_one_is_clicked() -> None:
    truth, predicted = np.zeros((2, 6, 6), dtype=bool)
    predicted[0, 0], truth[4, 4] = True, True
    assert next_click(predicted, truth) == ((4.0, 4.0), 1)
    assert next_click(truth, truth) is None, "nothing wrong needs no click"


@pytest.mark.parametrize(("predicted", "draw"), [(False, 1), (True, 0)])
def test_a_point_that_is_rounded_out_of_the_mask_has_its_cells_label(
    monkeypatch: pytest.MonkeyPatch, predicted: bool, draw: int
) -> None:
    def nearly_one(shape: torch.Size, device: torch.device) -> torch.Tensor:
        return torch.full(shape, 1 - 2.0**-24, device=device)  # the most that rand gives

    monkeypatch.setattr(torch, "rand", nearly_one)
    truth = torch.zeros(1, 64, 64, dtype=torch.bool)
    truth[0, 63, 63] = not predicted
    wrong = truth.clone()
    wrong[0, 63, 63] = predicted
    points, labels = corrections(wrong, truth)
    assert points.tolist() == [[63.5, 63.5]] and labels.tolist() == [draw]


def test_corrections_draw_what_points_in_draws() -> None:
    truth, predicted = torch.zeros(2, 3, 10, 14, dtype=torch.bool)
    truth[:, 2:7, 3:9] = True
    torch.manual_seed(4)
    expected = points_in(predicted ^ truth, cell_px=4.0)
    torch.manual_seed(4)
    torch.testing.assert_close(corrections(predicted, truth, cell_px=4.0)[0], expected)
