import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from rsedu.errors import InputError
from rsedu.models.croma import Croma, CromaConfig

TINY = CromaConfig(dim=32, heads=4, optical_depth=2, radar_depth=1, joint_depth=2)


def images(height=24, width=40, batch=2):
    generator = torch.Generator().manual_seed(0)
    radar = torch.randn(batch, 2, height, width, generator=generator)
    optical = torch.randn(batch, 12, height, width, generator=generator)
    return {"radar": radar, "optical": optical}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = Croma(TINY).double().eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def norm(x, part):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return scaled * part["weight"] + part["bias"]


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


class Numbers:
    """CROMA once more, one image, in plain numpy loops over heads and tokens."""

    def __init__(self, model, cols):
        state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
        self.state, self.cols, self.heads = state, cols, model.config.heads

    def part(self, prefix):
        names = [name for name in self.state if name.startswith(prefix + ".")]
        return {name.removeprefix(prefix + "."): self.state[name] for name in names}

    def attention(self, prefix, tokens, context):
        weights = self.part(prefix)
        size = tokens.shape[-1]
        query = tokens @ weights["query.weight"].T
        key = context @ weights["key_value.weight"][:size].T
        value = context @ weights["key_value.weight"][size:].T
        mixed, width = np.zeros_like(tokens), size // self.heads
        for head in range(self.heads):
            part = slice(head * width, (head + 1) * width)
            slope = 2 ** (-8 * (head + 1) / self.heads)
            for i in range(len(tokens)):
                logits = [
                    query[i, part] @ key[j, part] / math.sqrt(width)
                    - slope * math.dist(divmod(i, self.cols), divmod(j, self.cols))
                    for j in range(len(context))
                ]
                share = np.exp(np.array(logits) - max(logits))
                mixed[i, part] = share / share.sum() @ value[:, part]
        return mixed @ weights["proj.weight"].T + weights["proj.bias"]

    def block(self, prefix, tokens, context=None):
        normed = norm(tokens, self.part(f"{prefix}.norm_self"))
        tokens = tokens + self.attention(f"{prefix}.self_attention", normed, normed)
        if context is not None:
            shared = self.part(f"{prefix}.norm_cross")
            asked, known = norm(tokens, shared), norm(context, shared)
            tokens = tokens + self.attention(f"{prefix}.cross_attention", asked, known)
        hidden = self.part(f"{prefix}.mlp")
        inner = norm(tokens, self.part(f"{prefix}.norm_mlp")) @ hidden["0.weight"].T
        return tokens + gelu(inner + hidden["0.bias"]) @ hidden["2.weight"].T + hidden["2.bias"]

    def encode(self, sensor, image, depth):
        patches = [
            image[:, row : row + 8, col : col + 8].transpose(1, 2, 0).ravel()
            for row in range(0, image.shape[1], 8)
            for col in range(0, image.shape[2], 8)
        ]
        embed = self.part(f"{sensor}_encoder.embed")
        tokens = np.array(patches) @ embed["weight"].T + embed["bias"]
        for number in range(depth):
            tokens = self.block(f"{sensor}_encoder.blocks.{number}", tokens)
        return norm(tokens, self.part(f"{sensor}_encoder.norm"))

    def pool(self, sensor, tokens):
        head = self.part(f"{sensor}_head")
        mean = norm(tokens.mean(0), {"weight": head["0.weight"], "bias": head["0.bias"]})
        hidden = gelu(mean @ head["1.weight"].T + head["1.bias"])
        return hidden @ head["3.weight"].T + head["3.bias"]


def test_every_output_is_that_of_a_plain_loop(model):
    both = {name: image.double() for name, image in images().items()}
    with torch.no_grad():
        out = {name: value[1].numpy() for name, value in model(**both).items()}
    plain = Numbers(model, cols=5)
    radar = plain.encode("radar", both["radar"][1].numpy(), depth=1)
    optical = plain.encode("optical", both["optical"][1].numpy(), depth=2)
    joint = radar
    for number in range(2):
        joint = plain.block(f"joint_encoder.blocks.{number}", joint, optical)
    joint = norm(joint, plain.part("joint_encoder.norm"))
    expected = {
        "radar_tokens": radar,
        "radar_pooled": plain.pool("radar", radar),
        "optical_tokens": optical,
        "optical_pooled": plain.pool("optical", optical),
        "joint_tokens": joint,
        "joint_pooled": joint.mean(0),
    }
    assert set(out) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(out[name], value, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("sensor", ["radar", "optical"])
def test_one_sensor_gives_what_it_can(model, sensor):
    both = {name: image.double() for name, image in images().items()}
    with torch.no_grad():
        whole, alone = model(**both), model(**{sensor: both[sensor]})
    assert set(alone) == {f"{sensor}_tokens", f"{sensor}_pooled"}
    for name, value in alone.items():
        torch.testing.assert_close(value, whole[name])


@pytest.mark.parametrize("size", [(8, 8), (16, 72), (120, 120)])
def test_any_size_of_whole_patches(model, size):
    both = {name: image.double() for name, image in images(*size, batch=1).items()}
    with torch.no_grad():
        out = model(**both)
    assert out["joint_tokens"].shape == (1, size[0] * size[1] // 64, 32)


def test_alibi_knows_no_absolute_place_and_sincos_does():
    """Of a periodic image, tokens in the middle are alike under ALiBi on a large grid."""
    tile = images(8, 8, batch=1)
    repeated = {name: image.repeat(1, 1, 9, 9) for name, image in tile.items()}
    with torch.no_grad():
        for positions, alike in (("alibi", True), ("sincos", False)):
            torch.manual_seed(0)
            model = Croma(replace(TINY, positions=positions)).eval()
            tokens = model(**repeated)["optical_tokens"][0]
            difference = (tokens[40] - tokens[30]).abs().max().item()
            assert (difference < 1e-5) is alike


def test_turning_both_images_turns_the_tokens(model):
    """A quarter turn of the patches' places, each patch left as it is, permutes the tokens."""
    both = {name: image.double() for name, image in images(24, 24).items()}

    def turned(image):
        patches = image.unfold(2, 8, 8).unfold(3, 8, 8)  # (batch, bands, rows, cols, 8, 8)
        moved = torch.rot90(patches, 1, dims=(2, 3))
        return moved.permute(0, 1, 2, 4, 3, 5).reshape(image.shape)

    with torch.no_grad():
        before = model(**both)["joint_tokens"].unflatten(1, (3, 3))
        after = model(**{name: turned(image) for name, image in both.items()})["joint_tokens"]
    torch.testing.assert_close(after.unflatten(1, (3, 3)), torch.rot90(before, 1, dims=(1, 2)))


# Shapes in the annotations would speak first; the class itself has to, where they are off.
REFUSED = {
    "no sensor": ({}, "neither radar nor optical came"),
    "a band too many": ({"radar": torch.zeros(1, 3, 16, 16)}, "radar has 3 bands, .* made for 2"),
    "half a patch": ({"optical": torch.zeros(1, 12, 16, 20)}, "whole patches"),
    "two grids": (
        {"radar": torch.zeros(1, 2, 16, 16), "optical": torch.zeros(1, 12, 24, 24)},
        "radar and optical differ",
    ),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        Croma(TINY).check(given)
