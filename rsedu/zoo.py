"""Model zoo, one door: list the models there are, and load any of them by name.

The kit's own weights, the checkpoints that the papers' authors published, and the segmenters are
all named here. `rsedu.list_models()` and `rsedu.load(name)` are these two functions.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rsedu.errors import InputError

Kind = Literal["encoder", "segmenter"]
Origin = Literal["shipped", "file", "download"]

_NEEDS = {
    "shipped": "comes with the kit",
    "file": "needs the checkpoint that its authors published: path=...",
    "download": "is downloaded when first loaded",
}


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a model is, before it is loaded.

    Attributes:
        name: what `load` takes.
        kind: an encoder gives tokens, a segmenter gives masks.
        about: one sentence, with the paper or the training data.
        licence: of the weights.
        origin: "shipped": the weights come with the kit; "file": `load` needs the path of the
            published checkpoint; "download": they are fetched when first loaded.
    """

    name: str
    kind: Kind
    about: str
    licence: str
    origin: Origin

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}, {self.licence}; {_NEEDS[self.origin]}): {self.about}"


_PUBLISHED = (
    ModelInfo(
        name="croma",
        kind="encoder",
        about="CROMA, base or large, radar and optical at 10 m (Fuller et al. 2023).",
        licence="MIT",
        origin="file",
    ),
    ModelInfo(
        name="scalemae",
        kind="encoder",
        about="Scale-MAE, ViT-B or L, red, green and blue of any pixel size (Reed et al. 2023).",
        licence="CC-BY-NC-4.0",
        origin="file",
    ),
    *(
        ModelInfo(
            name=f"sam-{size.replace('_', '-')}",
            kind="segmenter",
            about=f"Segment Anything, {size}, {megabytes} MB (Kirillov et al. 2023).",
            licence="Apache-2.0",
            origin="download",
        )
        for size, megabytes in (("vit_b", 375), ("vit_l", 1250), ("vit_h", 2560))
    ),
)


def _shipped() -> tuple[ModelInfo, ...]:
    """The kit's weights, and any that were saved beside them."""
    from rsedu.models import weights

    cards = [weights.read_card(name) for name in weights.available()]
    return tuple(
        ModelInfo(
            name=card.name,
            kind="segmenter" if card.kind.endswith("TinySam") else "encoder",
            about=card.about,
            licence=card.licence,
            origin="shipped",
        )
        for card in cards
    )


def list_models(word: str = "") -> tuple[ModelInfo, ...]:
    """List the models that `load` knows; print one to read what it is.

    Args:
        word: keep those with this word in their name, kind or description; case is ignored.

    Returns:
        The kit's own first, by name, then the published ones. `RSEDU_WEIGHTS` adds a folder of
        your own weights.
    """
    models = (*_shipped(), *_PUBLISHED)
    return tuple(model for model in models if word.lower() in str(model).lower())


def model_info(name: str) -> ModelInfo:
    """Find the description of one model.

    Raises:
        InputError: no model has this name; the message names the nearest.
    """
    models = {model.name: model for model in list_models()}
    if name not in models:
        near = difflib.get_close_matches(str(name), models, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"wanted one of {', '.join(models)}."
        raise InputError(f"There is no model {name!r}: {hint}")
    return models[name]


def load(name: str, path: str | Path | None = None, *, device: str = "auto") -> Any:
    """Load a model by name.

    Args:
        name: as `list_models` gives it, such as "mae-tiny".
        path: checkpoint file of a published encoder, as its authors distribute it; only for these.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        An encoder is a `torch.nn.Module` in evaluation mode. A segmenter is a
        `rsedu.segment.sam.Segmenter`: `embed(scene)`, then `predict(prompt)`.

    Raises:
        InputError: no model has this name, or a path was given where none is needed or left out
            where one is.
        MissingDataError, BrokenDataError: as `models.weights.load`, or the published file's reader.

    >>> import rsedu
    >>> rsedu.load("mae-tiny", device="cpu").config.patch_size
    8
    """
    info = model_info(name)
    if (path is not None) != (info.origin == "file"):
        came = "no path" if path is None else f"path={str(path)!r}"
        raise InputError(f"{name} was asked for with {came}; it {_NEEDS[info.origin]}.")
    if info.kind == "segmenter":
        return _segmenter(info, device)
    from rsedu.device import pick_device

    return _encoder(name, path).to(pick_device(device))


def _encoder(name: str, path: Any) -> Any:
    from rsedu.models import Croma, ScaleMAE, weights

    if name == "croma":
        return Croma.from_released(path)
    return ScaleMAE.from_released(path) if name == "scalemae" else weights.load(name)


def _segmenter(info: ModelInfo, device: str) -> Any:
    from rsedu.segment import sam

    if info.origin == "shipped":
        return sam.load_tiny(info.name, device=device)
    size: Any = info.name.removeprefix("sam-").replace("-", "_")
    return sam.load(size, device=device)
