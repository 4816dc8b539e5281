"""Image embedding: an image that SAM's encoder saw once, and that can be prompted often."""

import hashlib
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from torch import Tensor

from rsedu.errors import InputError
from rsedu.evaluation.masks import iou
from rsedu.io.files import read_array, write_array
from rsedu.scenes.grid import Grid
from rsedu.segment.prompt import Box, Point, Prediction, Prompt, box_of
from rsedu.segment.regions import interior_point
from rsedu.segment.tiles import Tile, leaves

EAGER = 64  # tiles that are embedded at once; of larger images each when it is first asked for
_BATCH = 16  # tiles that go through the encoder together
_SAME = 0.5  # IoU on shared pixels from which two tiles speak of one object
_FURTHEST = 16  # tiles that one mask may grow over
_MARGIN = 1.6  # side of a closer look, in sides of the object
_CLOSEST = 3 / 16  # of the model's pixels: no look shows less of the image than that
_WORTH = 0.8  # of a tile's side; a closer look that shows more isn't worth its time
_LOOKS = 64  # closer looks whose embeddings are kept: of a released SAM each has 4 MB
_STEP = 8  # pixels to which closer looks are rounded, so that neighbours share them


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedded:
    """An image with its embeddings, tile by tile. Made by `Segmenter.embed`; safe in threads.

    Attributes:
        image: (rows, cols, 3) uint8, red, green and blue.
        tiles: that cover it.
        model: a `segment_anything` Sam.
        weights: what tells this model from another, such as a SHA-256.
        cache: folder of embeddings on disk; None stores none.
        grid: place of the pixels; None for an image without one.
        closer: whether small objects get a look of their own, enlarged, embedded when asked for.
        lock: held while the model is at work.
    """

    image: UInt8[np.ndarray, "rows cols 3"]
    tiles: tuple[Tile, ...]
    model: Sam
    weights: str = ""
    cache: Path | None = None
    grid: Grid | None = None
    closer: bool = True
    lock: Any = field(default_factory=threading.RLock)
    _features: dict[Tile, Tensor] = field(default_factory=dict)
    _looks: dict[tuple[Tile, Point], Tile] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return int(self.image.shape[0]), int(self.image.shape[1])

    def prepare(self, tiles: Sequence[Tile]) -> None:
        """Embed tiles that are not embedded yet, reading and filling the cache."""
        with self.lock, torch.inference_mode():
            before, missing = len(self._features), []
            for tile in tiles:
                if tile in self._features:
                    continue
                path = self._stored_at(self._pixels(tile))
                stored = None if path is None else read_array(path)
                if stored is None or stored.dtype != np.float32 or stored.ndim != 3:
                    missing.append(tile)
                else:
                    self._features[tile] = torch.tensor(stored)[None].to(self.model.device)
            for start in range(0, len(missing), _BATCH):
                self._encode(missing[start : start + _BATCH])
            if len(self._features) > before:
                self._forget()

    def features(self, tile: Tile) -> Float[Tensor, "1 dim rows cols"]:
        """Embedding of one tile, on the model's device."""
        with self.lock:
            self.prepare([tile])
            return self._features[tile]

    def _forget(self) -> None:
        """Drop the oldest closer looks, so that a thousand clicks take no more room than a few."""
        lasting = set(self.tiles)
        for look in [tile for tile in self._features if tile not in lasting][:-_LOOKS]:
            del self._features[look]

    def predict(self, prompt: Prompt) -> Prediction:
        """Answer one prompt.

        A mask that reaches the edge of its tile goes on in the next one; a box that its tile does
        not hold is answered in parts. Without a box, each click on the object outside the tile or
        closer look of the first one is answered where it lies, with all the clicks beside the
        object, and its best mask is added to all three: two fields that are clicked are both in
        the answer. Scores and logits are those of the first click.

        Raises:
            InputError: a click or the whole box lies outside the image, the prompt is in map
                coordinates and the image has no place, or the mask has another side than logits.
        """
        given = prompt.in_pixels(self.grid.transform if self.grid else None)
        self._check(given)
        home, answer = self._at_home(given)
        if given.box is not None and not home.holds_box(given.box, self.shape):
            return self._in_parts(given, home)
        answer = answer or self.ask(home, _moved(given, home))
        masks = [
            self._continue_over_tiles(mask, home, given)
            if leaves(mask, home, self.shape)
            else self._put(mask, home)
            for mask in answer.masks
        ]
        if given.box is None:
            for alone in _elsewhere(given, home):
                further = self.predict(alone).mask
                masks = [mask | further for mask in masks]
        return replace(answer, masks=np.stack(masks), grid=self.grid)

    def around(self, prompt: Prompt) -> Tile:
        """The tile in which a prompt in pixels lies deepest: by its box, else its first click."""
        anchor = _anchor(prompt)
        return max(self.tiles, key=lambda tile: tile.depth(anchor, self.shape))

    def home(self, prompt: Prompt) -> Tile:
        """The tile, or the closer look in it, that a prompt in pixels is answered in.

        It is chosen by the box, else by the first click on the object: further clicks don't
        change it, so that logits of one answer fit the next. For a click, the mask that it gives in
        its tile says how close to look.
        """
        return self._at_home(prompt)[0]

    def _at_home(self, prompt: Prompt) -> tuple[Tile, Prediction | None]:
        """The home of a prompt, and the answer there if the choice has given it already."""
        tile = self.around(prompt)
        if self.closer and prompt.box is not None:
            return self._look(tile, prompt.box), None
        if not (self.closer and 1 in prompt.labels):
            return tile, None
        alone = Prompt(points=(_anchor(prompt),))
        look, answer = self._look_at(tile, alone)
        return look, answer if look == tile and prompt == alone else None

    def _look_at(self, tile: Tile, alone: Prompt) -> tuple[Tile, Prediction | None]:
        """A look at what one click gives in its tile, and that if new; further clicks ask again."""
        click, answer = alone.points[0], None
        if (tile, click) not in self._looks:
            answer = self.ask(tile, _moved(alone, tile))
            mask = self._put(answer.mask, tile)
            fits = mask.any() and not leaves(answer.mask, tile, self.shape)
            self._looks[tile, click] = self._look(tile, box_of(mask), click) if fits else tile
        return self._looks[tile, click], answer

    def _look(self, tile: Tile, box: Box, click: Point | None = None) -> Tile:
        """The square round a box with a margin; the tile itself where that is hardly closer."""
        west, north, east, south = box
        least = _CLOSEST * self.model.image_encoder.img_size
        wanted = max(_MARGIN * max(east - west, south - north), least)
        side = math.ceil(wanted / _STEP) * _STEP
        if side > _WORTH * max(tile.rows, tile.cols) or side > min(self.shape):
            return tile
        firsts = ((north + south - side) / 2, (west + east - side) / 2)
        top, left = (
            min(max(round(first / _STEP) * _STEP, 0), size - side)
            for first, size in zip(firsts, self.shape, strict=True)
        )
        look = Tile(top=top, left=left, rows=side, cols=side)
        return look if click is None or look.depth(click, self.shape) > 0 else tile

    def ask(
        self, tile: Tile, prompt: Prompt, *, model: Sam | None = None, single: bool = False
    ) -> Prediction:
        """Answer a prompt within one tile, both in the tile's own pixels.

        `model` may be another Sam with the same encoder; `single` gives SAM's single mask for
        unambiguous prompts instead of three.
        """
        predictor = self.predictor(tile, model=model)
        with self.lock, torch.inference_mode():
            masks, scores, logits = predictor.predict(
                point_coords=_coordinates(prompt, tile, self.model) if prompt.points else None,
                point_labels=np.array(prompt.labels) if prompt.points else None,
                box=None if prompt.box is None else np.array(prompt.box),
                mask_input=None if prompt.mask is None else prompt.mask[None].copy(),
                multimask_output=not single,
            )
        return Prediction(masks=masks, scores=scores.astype(np.float32), logits=logits)

    def predictor(self, tile: Tile, *, model: Sam | None = None) -> SamPredictor:
        """A `SamPredictor` of the package, with one tile set as its image."""
        predictor = SamPredictor(model or self.model)
        size = (tile.rows, tile.cols)
        predictor.features = self.features(tile)
        predictor.original_size = size
        predictor.input_size = predictor.transform.get_preprocess_shape(
            *size, predictor.transform.target_length
        )
        predictor.is_image_set = True
        return predictor

    def _pixels(self, tile: Tile) -> UInt8[np.ndarray, "rows cols 3"]:
        return np.ascontiguousarray(self.image[tile.window])

    def _stored_at(self, pixels: UInt8[np.ndarray, "rows cols 3"]) -> Path | None:
        """The file of an embedding; other pixels, sizes or weights have another."""
        if self.cache is None:
            return None
        digest = hashlib.sha256(f"{self.weights} {pixels.shape}".encode() + pixels.tobytes())
        return self.cache / f"{digest.hexdigest()[:32]}.npy"

    def _encode(self, tiles: Sequence[Tile]) -> None:
        resize = SamPredictor(self.model).transform.apply_image
        pixels = [self._pixels(tile) for tile in tiles]
        planes = [torch.from_numpy(resize(part)).permute(2, 0, 1).float() for part in pixels]
        batch = torch.stack(
            [self.model.preprocess(plane.to(self.model.device)) for plane in planes]
        )
        for tile, part, embedding in zip(
            tiles, pixels, self.model.image_encoder(batch), strict=True
        ):
            self._features[tile] = embedding[None]
            if (path := self._stored_at(part)) is not None:
                write_array(path, embedding.float().cpu().numpy())

    def _put(self, mask: np.ndarray, tile: Tile) -> np.ndarray:
        whole = np.zeros(self.shape, dtype=np.bool_)
        whole[tile.window] = mask
        return whole

    def _continue_over_tiles(self, mask: np.ndarray, home: Tile, prompt: Prompt) -> np.ndarray:
        """Follow a mask over the edges of its tile."""
        whole, covered = self._put(mask, home), np.zeros(self.shape, dtype=np.bool_)
        covered[home.window] = True
        left = [tile for tile in self.tiles if tile != home]
        for _ in range(min(_FURTHEST, len(left))):
            ahead = _wider(whole) & ~covered
            following = max(left, key=lambda tile: int(ahead[tile.window].sum()))
            if not ahead[following.window].any():
                break
            left.remove(following)
            part = self._continued(whole, covered, following, prompt)
            whole[following.window] |= part & ~covered[following.window]
            covered[following.window] = True
        return whole

    def _continued(
        self, whole: np.ndarray, covered: np.ndarray, tile: Tile, prompt: Prompt
    ) -> np.ndarray:
        """What a tile shows of a mask that comes from its neighbours; nothing if they disagree."""
        part, shared = whole[tile.window], covered[tile.window]
        if not part.any():
            return part
        points, labels = _clicks(prompt, tile)
        answer = self.ask(tile, Prompt(points=(interior_point(part), *points), labels=(1, *labels)))
        # Two masks without a shared pixel, of which the IoU is NaN, don't speak of one object.
        scores = np.nan_to_num([iou(mask & shared, part & shared) for mask in answer.masks])
        best = int(scores.argmax())
        return np.asarray(answer.masks[best]) if scores[best] >= _SAME else np.zeros_like(part)

    def _in_parts(self, prompt: Prompt, home: Tile) -> Prediction:
        """Answer a box that its tile does not hold: each tile its part, all parts together."""
        masks = np.zeros((3, *self.shape), dtype=np.bool_)
        answers: dict[Tile, Prediction] = {}
        for tile in self.tiles:
            assert prompt.box is not None
            if tile.box_within(prompt.box) is not None:
                part = _moved(prompt if tile == home else replace(prompt, mask=None), tile)
                answers[tile] = self.ask(tile, part)
                masks[(slice(None), *tile.window)] |= answers[tile].masks
        scores = np.mean([answer.scores for answer in answers.values()], axis=0)
        scores = scores.astype(np.float32)
        return Prediction(masks=masks, scores=scores, logits=answers[home].logits, grid=self.grid)

    def _check(self, prompt: Prompt) -> None:
        rows, cols = self.shape
        for col, row in prompt.points:
            if not (-0.5 <= col <= cols - 0.5 and -0.5 <= row <= rows - 0.5):
                raise InputError(
                    f"The click (col {col:g}, row {row:g}) is outside an image of {rows} rows and "
                    f"{cols} columns; give columns first, or frame='map' for metres."
                )
        if prompt.box is not None:
            left, top, right, bottom = prompt.box
            if left >= cols or top >= rows or right <= 0 or bottom <= 0:
                raise InputError(
                    f"The box {prompt.box} is outside an image of {rows} rows and {cols} columns."
                )
        side = self.model.prompt_encoder.mask_input_size[0]
        if prompt.mask is not None and len(prompt.mask) != side:
            raise InputError(
                f"The mask has a side of {len(prompt.mask)}; this model's logits have {side}."
            )


def _anchor(prompt: Prompt) -> Point:
    """Middle of the box, else the first click on the object, else the first click."""
    if prompt.box is not None:
        left, top, right, bottom = prompt.box
        return (left + right - 1) / 2, (top + bottom - 1) / 2
    col, row = prompt.points[prompt.labels.index(1) if 1 in prompt.labels else 0]
    return float(col), float(row)


def _elsewhere(prompt: Prompt, home: Tile) -> list[Prompt]:
    """One prompt per click on the object outside a tile, each with all clicks beside it."""
    clicks = list(zip(prompt.points, prompt.labels, strict=True))
    beside = tuple(at for at, label in clicks if not label)
    return [
        Prompt(points=(at, *beside), labels=(1, *(0 for _ in beside)))
        for at, label in clicks
        if label and not home.holds(at)
    ]


def _wider(mask: np.ndarray) -> np.ndarray:
    """A mask and its neighbours to the four sides, in a tenth of the time scipy takes."""
    wider = mask.copy()
    wider[1:] |= mask[:-1]
    wider[:-1] |= mask[1:]
    wider[:, 1:] |= mask[:, :-1]
    wider[:, :-1] |= mask[:, 1:]
    return wider


def _clicks(prompt: Prompt, tile: Tile) -> tuple[tuple[Point, ...], tuple[int, ...]]:
    """Points and labels of the clicks in a tile, in its own pixels."""
    inside = [
        ((float(col) - tile.left, float(row) - tile.top), label)
        for (col, row), label in zip(prompt.points, prompt.labels, strict=True)
        if tile.holds((col, row))
    ]
    return tuple(at for at, _ in inside), tuple(label for _, label in inside)


def _moved(prompt: Prompt, tile: Tile) -> Prompt:
    """A prompt in the pixels of a tile, with the clicks and the part of the box that are there."""
    points, labels = _clicks(prompt, tile)
    box = None if prompt.box is None else tile.box_within(prompt.box)
    return replace(prompt, points=points, labels=labels, box=box)


def _coordinates(prompt: Prompt, tile: Tile, model: Sam) -> Float32[np.ndarray, "points 2"]:
    """Clicks as `SamPredictor` wants them."""
    # It scales the number of a pixel and then adds half a pixel of its own frame; the centre of a
    # pixel lies at its number plus half a pixel of the image.
    scale = model.image_encoder.img_size / max(tile.rows, tile.cols)
    return np.array(prompt.points, dtype=np.float32) + np.float32(0.5 - 0.5 / scale)
