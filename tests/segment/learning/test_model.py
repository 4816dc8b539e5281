import pytest
import torch
from torch.nn import functional as F

from rsedu.segment.learning import model as training
from rsedu.segment.learning.losses import focal
from rsedu.segment.learning.model import Prompts, SamTraining, decode
from rsedu.segment.tiny_sam import TinySamConfig


def _batch() -> dict[str, torch.Tensor]:
    masks = torch.zeros(2, 3, 32, 32)
    masks[:, 0, 4:20, 6:16] = masks[:, 1, 20:30, 20:30] = masks[:, 2, 0, 0] = 1
    masks[0, 1] = 0.3
    return {
        "images": 255 * torch.rand(2, 3, 64, 64),
        "masks": masks,
        "classes": torch.randint(8, (2, 32, 32)),
    }


def test_only_the_best_of_three_masks_learns_much() -> None:
    truth = torch.zeros(1, 8, 8)
    truth[0, :4] = 1
    logits = torch.zeros(1, 4, 8, 8)
    logits[0, 2] = 3 * (2 * truth[0] - 1)
    losses, best = training._judged(logits, torch.zeros(1, 4), truth)
    assert torch.equal(best[0], logits[0, 2])
    assert float(losses["best"]) == 1.0
    focals = focal(logits, truth[:, None].expand_as(logits))[0]
    weights = torch.tensor([1.0, 0.025, 0.95, 0.025]) / 2
    assert float(losses["focal"]) == pytest.approx(float((weights * focals).sum()))
    # Predicted IoU 0 against: all three empty masks 0, the right one 1.
    assert float(losses["iou"]) == pytest.approx(1 / 4)


def test_objects_are_decoded_as_if_each_were_alone(small: TinySamConfig) -> None:
    sam = SamTraining(small).sam.eval()
    embedding = torch.randn(1, 32, 8, 8)
    points, labels = torch.rand(3, 2, 2) * 60, torch.ones(3, 2, dtype=torch.int)
    masks = torch.randn(3, 1, 32, 32)
    together = decode(sam, embedding, Prompts(points, labels, None, masks))
    for number in range(3):
        one = slice(number, number + 1)
        alone = decode(sam, embedding, Prompts(points[one], labels[one], None, masks[one]))
        torch.testing.assert_close(together[0][one], alone[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(together[1][one], alone[1], rtol=1e-4, atol=1e-4)
    assert together[0].shape == (3, 4, 32, 32)


def test_the_loss_is_the_sum_of_its_parts_and_reaches_every_weight(small: TinySamConfig) -> None:
    torch.manual_seed(0)
    model = SamTraining(small, dense_steps=0)
    reached: set[str] = set()
    for _ in range(6):  # clicks and boxes, one round and more
        losses = model(**_batch())
        total = 20 * losses["focal"] + losses["dice"] + losses["iou"] + losses["class"]
        torch.testing.assert_close(losses["loss"], total)
        losses["loss"].backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None and parameter.grad.abs().sum() > 0:
                reached.add(name)
    missing = {name for name, _ in model.named_parameters()} - reached
    assert not {name for name in missing if "not_a_point" not in name}


def test_the_encoder_learns_alone_at_first(small: TinySamConfig) -> None:
    model = SamTraining(small, dense_steps=2)
    found = [model(**_batch()) for _ in range(3)]
    assert [bool(torch.isnan(losses["focal"])) for losses in found] == [True, True, False]
    torch.testing.assert_close(found[0]["loss"], found[0]["class"])
    assert int(model.steps) == 3
    model.eval()
    assert not torch.isnan(SamTraining(small, dense_steps=9).eval()(**_batch())["focal"])


def test_classes_are_read_four_by_four_from_each_feature(small: TinySamConfig) -> None:
    model = SamTraining(small)
    features = torch.randn(1, 32, 8, 8)
    classes = torch.randint(8, (1, 32, 32))
    raw = model.classify(features)[0].reshape(8, 4, 4, 8, 8)  # class, row and column within, h, w
    logits = torch.zeros(8, 32, 32)
    for row in range(32):
        for col in range(32):
            logits[:, row, col] = raw[:, row % 4, col % 4, row // 4, col // 4]
    expected = F.cross_entropy(logits[None], classes)
    torch.testing.assert_close(model._class_loss(features, classes), expected)


def test_thin_objects_can_be_clicked_too() -> None:
    truth = torch.zeros(2, 16, 16)
    truth[0, 3, 5] = 0.2
    truth[1, 8:12, 8:12] = 1
    seen = set()
    for _ in range(20):
        prompts = training._first(truth, 4.0, 64)
        if prompts.points is not None:
            col, row = ((prompts.points[0, 0] + 0.5) / 4).long().tolist()
            assert (col, row) == (5, 3)
        seen.add(prompts.points is None)
    assert seen == {True, False}
