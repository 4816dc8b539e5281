"""Fetched scenes on disk: a folder that is whole or not there."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsedu.errors import InputError, RseduError
from rsedu.io.raster_file import write_cog
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.grid import Grid
from rsedu.scenes.reader import read_window
from rsedu.scenes.scene import Scene, Unit

_FACTS = "scene.json"
_UNITS: dict[str, Unit] = {"optical": "reflectance", "radar": "sigma0_db"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Fetched:
    """What `fetch` found.

    Attributes:
        folder: where optical.tif, radar.tif and scene.json lie.
        optical: 12 bands of surface reflectance.
        radar: VV and VH in dB on the same pixels; None where none was asked for or open.
        facts: items, dates, clouds, bytes, attribution; as in scene.json.
        bytes_read: fetched from servers of pixels by this call: 0 where all was there already.
        bytes_whole: size of the files that were read from.
    """

    folder: Path
    optical: Scene
    radar: Scene | None
    facts: Mapping[str, Any]
    bytes_read: int
    bytes_whole: int


def check_room(folder: Path, grid: Grid) -> None:
    """Make the folder above, and see whether both scenes fit into it.

    Raises:
        InputError: the disk is too small, or nothing can be written there.
    """
    needed = grid.shape[0] * grid.shape[1] * 4 * (len(S2_BANDS) + len(S1_BANDS)) * 3 // 2

    def check() -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder.parent).free
        if needed > free:
            raise InputError(
                f"The scene needs up to {needed / 1e6:.1f} MB, and {folder.parent} has "
                f"{free / 1e6:.1f} MB free: make room, or choose another folder."
            )
        if not os.access(folder.parent, os.W_OK):
            raise PermissionError("no permission to write there")

    _writing(folder, check)


def _writing(folder: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except RseduError:
        raise
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}): choose another folder."
        ) from error


def save_scenes(folder: Path, scenes: Mapping[str, Scene], facts: Mapping[str, Any]) -> None:
    """Write all beside the folder, then give it its name.

    Args:
        folder: not there yet.
        scenes: by "optical" and "radar".
        facts: what scene.json will say; "asked", "items" and "attribution" are needed.

    Raises:
        InputError: it cannot be written.
    """
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.unfinished")

    def write() -> None:
        for sensor, scene in scenes.items():
            write_cog(
                unfinished / f"{sensor}.tif",
                scene.array,
                names=scene.bands,
                transform=scene.transform,
                crs=scene.crs,
                tags={"ITEM": facts["items"][sensor]["id"], "SOURCE": facts["attribution"]},
            )
        (unfinished / _FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")
        os.replace(unfinished, folder)

    try:
        _writing(folder, write)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def load_scenes(folder: Path, asked: Mapping[str, Any]) -> Fetched:
    """Return what an earlier call wrote.

    Raises:
        InputError: the folder is of something else, or of another request.
    """
    path = folder / _FACTS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        same = facts["asked"] == asked
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} is there, and holds no scene of ours ({error}): choose another folder."
        ) from error
    if not same:
        raise InputError(
            f"{folder} holds the scene of another request ({facts['asked']}): choose another "
            "folder, or delete it."
        )
    scenes = {
        sensor: read_window(folder / f"{sensor}.tif", unit=_UNITS[sensor])
        for sensor in facts["items"]
    }
    return Fetched(
        folder=folder,
        optical=scenes["optical"],
        radar=scenes.get("radar"),
        facts=facts,
        bytes_read=0,
        bytes_whole=int(facts["bytes_whole"]),
    )
