import numpy as np
import pytest
import torch

from rsedu.segment.clicks import boxes_of, corrections, jittered, next_click, points_in
from rsedu.segment.prompt import box_of


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


def test_nothing_wrong_needs_no_click() -> None:
    mask = np.eye(5, dtype=bool)
    assert next_click(mask, mask) is None
