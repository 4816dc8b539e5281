"""Examples for one-shot search: tiles of the frontier, their objects, classes and embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from torch.nn import functional as F

from rsedu.evaluation.masks import iou
from rsedu.lessons.one_example.lab import Mask
from rsedu.segment.embedding import Embedded
from rsedu.segment.learning.dataset import CLASS, PracticeTiles
from rsedu.segment.learning.evaluation import colours, objects_of
from rsedu.segment.oneshot import Match, Reference, combined, embed_example, resemblance
from rsedu.segment.prompt import Prompt
from rsedu.segment.regions import interior_point
from rsedu.segment.sam import Segmenter

#: Red, green and blue: near infrared, true colour, shortwave infrared.
BAND_TRIPLES = (("B08", "B04", "B03"), ("B04", "B03", "B02"), ("B11", "B08", "B04"))
LIKE = 2.5  # pixels of tiles that are alike differ by this factor at most


class Example(NamedTuple):
    """One object that is shown as an example.

    Attributes:
        tile: its number.
        number: of the object in its tile, the order of `ExampleTiles.objects`.
    """

    tile: int
    number: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ExampleTiles:
    """Tiles with the objects that count, their classes and their embeddings, each made once.

    Attributes:
        segmenter: that embeds them.
        tiles: of the frontier.
    """

    segmenter: Segmenter
    tiles: PracticeTiles
    _embedded: dict[tuple[int, int], Embedded] = field(default_factory=dict)
    _objects: dict[int, tuple[Mask, ...]] = field(default_factory=dict)
    _described: dict[tuple[Example, int], Reference] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tiles)

    def objects(self, tile: int) -> tuple[Mask, ...]:
        """Plots of a tile that are neither tiny nor nearly all of it."""
        if tile not in self._objects:
            self._objects[tile] = objects_of(self.tiles, tile)
        return self._objects[tile]

    def classes(self, tile: int) -> np.ndarray:
        """(rows, cols) indices into `rsedu.synthetic.land_cover.CLASSES`."""
        return self.tiles.tile(tile)[CLASS]

    def kind(self, example: Example) -> int:
        """Class of an object."""
        inside = self.classes(example.tile)[self.objects(example.tile)[example.number]]
        return int(np.bincount(inside).argmax())

    def examples(self, *, kind: int | None = None) -> list[Example]:
        """All objects, or those of one class."""
        every = [Example(t, n) for t in range(len(self)) for n in range(len(self.objects(t)))]
        return [each for each in every if kind is None or self.kind(each) == kind]

    def truths(self, tile: int, kind: int) -> list[Mask]:
        """Objects of a class in a tile."""
        masks = self.objects(tile)
        return [mask for n, mask in enumerate(masks) if self.kind(Example(tile, n)) == kind]

    def alike(self, tile: int) -> list[int]:
        """Other tiles whose pixels are of about the same size."""
        gsd_m = self.tiles.gsd_m(tile)
        ratios = [self.tiles.gsd_m(other) / gsd_m for other in range(len(self))]
        return [at for at, r in enumerate(ratios) if at != tile and 1 / LIKE <= r <= LIKE]

    def embedded(self, tile: int, look: int = 0) -> Embedded:
        """One tile in the colours of a look, embedded."""
        if (tile, look) not in self._embedded:
            shown = colours(self.tiles, tile, BAND_TRIPLES[look])
            self._embedded[tile, look] = self.segmenter.embed(shown)
        return self._embedded[tile, look]

    def reference(self, examples: Sequence[Example], look: int = 0) -> Reference:
        """What some examples look like together."""
        return combined([self._describe(each, look) for each in examples])

    def _describe(self, example: Example, look: int) -> Reference:
        if (example, look) not in self._described:
            mask = self.objects(example.tile)[example.number]
            self._described[example, look] = embed_example(self.embedded(example.tile, look), mask)
        return self._described[example, look]

    def looks(
        self, examples: Sequence[Example], tile: int, *, count: int = 1
    ) -> list[tuple[Embedded, Reference]]:
        """A tile in the first looks, each with the examples as they are seen in it."""
        return [
            (self.embedded(tile, look), self.reference(examples, look)) for look in range(count)
        ]

    def likeness(
        self, examples: Sequence[Example], tile: int, *, count: int = 1
    ) -> Float32[np.ndarray, "rows cols"]:
        """How much each pixel of a tile resembles some examples, -1 to 1."""
        looks = self.looks(examples, tile, count=count)
        return resemblance([(embedded, each.target) for embedded, each in looks])


def best(found: Mask, truths: Sequence[Mask]) -> float:
    """IoU with the object that a mask fits best."""
    return max(iou(found, truth) for truth in truths)


def covered(found: Sequence[Match], truths: Sequence[Mask]) -> float:
    """Mean over the objects of the IoU with whichever mask fits it best, 0 where none does."""
    return float(np.mean([max([iou(f.mask, t) for f in found], default=0.0) for t in truths]))


def pointed(embedded: Embedded, truths: Sequence[Mask]) -> list[float]:
    """IoU of each object after one click in its middle: what a user's patience gets."""
    return [iou(embedded.predict(Prompt(points=(interior_point(t),))).mask, t) for t in truths]


def typicality(one: Reference, others: Sequence[Reference]) -> float:
    """Cosine of the angle between an example's target and the mean of others of its class."""
    mean = combined(others).target
    return float(F.cosine_similarity(one.target, mean, dim=0))
