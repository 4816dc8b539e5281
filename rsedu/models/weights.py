"""Trained weights that travel with the kit, each with a card that says how it came to be.

``data/weights`` holds three files per name: ``.safetensors`` (the numbers), ``.json`` (the card)
and ``.md`` (the same card to read).
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save as serialise
from torch import nn

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.io.files import sha256, write_atomically

# Cards of before the module was part of a class's name; imported when first loaded.
_OLD_KINDS = {
    "MAE": "rsedu.models.mae.MAE",
    "ScaleMAE": "rsedu.models.scalemae.ScaleMAE",
    "CromaTraining": "rsedu.models.croma_pretraining.CromaTraining",
    "TinySam": "rsedu.segment.tiny_sam.TinySam",
}
_CLASS = re.compile(r"(rsedu(?:\.[a-z]\w*)+)\.([A-Z]\w*)")  # of the kit, and nothing private

_PAGE = """# {name}

{about}

| | |
|---|---|
| model | `{kind}`, {parameters:,} parameters |
| data | {data} |
| input | {inputs} |
| training | {steps:,} steps, {minutes:.0f} minutes on {hardware} |
| command | `{command}` |
| licence | {licence} |
| sha256 | `{sha256}` |

## Measured

{metrics}

## Settings

```json
{config}
```
"""


@dataclass(frozen=True, kw_only=True)
class Card:
    """How weights came to be, and what they reach.

    Attributes:
        about: one or two sentences: what it is, what it is not good for.
        command: how to train them again.
        data: what they saw, with seeds and sizes.
        inputs: shape, unit and normalisation of what the model wants.
        steps: optimiser steps.
        minutes: duration of the training.
        hardware: what the minutes were measured on.
        metrics: name with unit and split -> value.
        licence: licence of the weights.
        name, config, parameters, sha256: filled in by `save`.
        kind: the model's class with its module, filled in by `save`: "rsedu.models.mae.MAE".
    """

    about: str
    command: str
    data: str
    inputs: str
    steps: int
    minutes: float
    hardware: str
    metrics: Mapping[str, float]
    licence: str = "Apache-2.0"
    name: str = ""
    kind: str = ""
    config: Mapping[str, Any] | None = None
    parameters: int = 0
    sha256: str = ""

    def page(self) -> str:
        """The card as Markdown."""
        metrics = "\n".join(f"- {name}: {value:.4g}" for name, value in self.metrics.items())
        return _PAGE.format(
            **{**asdict(self), "metrics": metrics, "config": json.dumps(self.config, indent=2)}
        )


def folder() -> Path:
    """Where weights are: `RSEDU_WEIGHTS`, else the wheel's own copy, else the checkout's."""
    override = os.environ.get("RSEDU_WEIGHTS")
    if override:
        return Path(override)
    package = Path(__file__).resolve().parents[1]
    installed = package / "_weights"
    return installed if installed.is_dir() else package.parent / "data" / "weights"


def available() -> tuple[str, ...]:
    """Names that `load` knows, sorted."""
    return tuple(sorted(path.stem for path in folder().glob("*.safetensors")))


def read_card(name: str) -> Card:
    """Read the card of one set of weights.

    Raises:
        MissingDataError: there are no weights of this name.
        BrokenDataError: the card can't be read.
    """
    path = folder() / f"{name}.json"
    if name not in available() or not path.is_file():
        known = ", ".join(available()) or "none yet"
        raise MissingDataError(
            f"There are no weights called {name!r} in {folder()}; there are: {known}. "
            "Set RSEDU_WEIGHTS to look in another folder."
        )
    try:
        return Card(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise BrokenDataError(
            f"{path} is not the card of any weights ({error}); fetch the file again."
        ) from error


def load(name: str) -> nn.Module:
    """Load a trained model, for example "scalemae-tiny", onto the CPU and in evaluation mode.

    Raises:
        MissingDataError: there are no weights of this name; the message lists those there are.
        BrokenDataError: a file is truncated, or is not the one that the card describes.
    """
    card = read_card(name)
    path = folder() / f"{name}.safetensors"
    if sha256(path) != card.sha256:
        raise BrokenDataError(
            f"{path} is not the file its card describes (its SHA-256 differs): it is truncated "
            "or was changed; fetch it again."
        )
    model = _build(card)
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise BrokenDataError(
            f"{path} does not fit the model {card.kind} of its card; fetch both again."
        ) from error
    return model.eval()


def target(name: str) -> Path:
    """Where `save` will write weights of one name.

    Raises:
        InputError: the name is no plain file name, or the folder can't be written to.
    """
    if name in ("", ".", "..") or Path(name).name != name:
        raise InputError(f"{name!r} can't name weights: give a plain name such as mae-mine.")
    place = folder().absolute()
    nearest = next(path for path in (place, *place.parents) if path.exists())
    if not os.access(nearest, os.W_OK):
        raise InputError(
            f"{place} can't be written to; set RSEDU_WEIGHTS to a folder of your own, to save "
            "weights there and to load them from there."
        )
    return place / f"{name}.safetensors"


def save(model: nn.Module, name: str, card: Card) -> Path:
    """Write weights and card; returns the file of weights.

    Args:
        model: a module of the kit, with its frozen settings in ``model.config``.
        name: file name without its ending.
        card: what only the recipe knows; the rest is filled in.

    Raises:
        InputError: the class is not of the kit, or as `target`.
    """
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    config = getattr(model, "config", None)
    if not _CLASS.fullmatch(kind) or config is None:
        raise InputError(
            f"Can't save a {kind}: wanted a model of rsedu, which has its settings in config."
        )
    path = target(name)
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    numbers = serialise(state)  # save_file would let nobody but the owner read the file
    _write(path, numbers)
    full = replace(
        card,
        name=name,
        kind=kind,
        config=asdict(config),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        sha256=sha256(path),
    )
    _write(path.with_suffix(".json"), (json.dumps(asdict(full), indent=2) + "\n").encode())
    _write(path.with_suffix(".md"), full.page().encode())
    return path


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def _build(card: Card) -> nn.Module:
    """Make the model of a card, with fresh weights."""
    name = card.kind.rpartition(".")[2]
    path = _CLASS.fullmatch(_OLD_KINDS.get(name, card.kind))
    try:
        if path is None:
            raise ImportError("it is no class of rsedu")
        module = import_module(path[1])
        kind, config = getattr(module, path[2]), getattr(module, f"{path[2]}Config")
    except (ImportError, AttributeError) as error:
        raise BrokenDataError(
            f"The card of {card.name} names the model {card.kind!r}, which this version of rsedu "
            f"doesn't know ({error}). Update rsedu."
        ) from error
    model: nn.Module = kind(config(**(card.config or {})))
    return model
