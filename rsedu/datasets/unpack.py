"""Archives -> folders that are whole or not there, and nothing beside them."""

import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from rsedu.errors import BrokenDataError, InputError


def unpack(
    archive: Path,
    folder: Path,
    *,
    choose: Callable[[Sequence[str]], Sequence[str]] | None = None,
) -> Path:
    """Unpack a zip into a folder of its own; whatever stops it, half a folder never stays.

    Args:
        archive: the zip; it is kept.
        folder: where its members go; one that is there already is taken as it is.
        choose: which members, of the names of all; None: all.

    Raises:
        BrokenDataError: no zip, a damaged member, or one that points out of the folder.
        InputError: the disk is too small, or the folder cannot be written.
    """
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.unfinished")
    try:
        with zipfile.ZipFile(archive) as members:
            _check(archive, members)
            names = members.namelist() if choose is None else choose(members.namelist())
            needed = sum(members.getinfo(name).file_size for name in names)
            _check_space(folder.parent, needed)
            members.extractall(unfinished, names)
        os.replace(unfinished, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise BrokenDataError(
            f"{archive} is no zip, or is damaged ({error}): get it again."
        ) from error
    except (BrokenDataError, InputError):
        raise
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error}): choose a folder that can be."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _check(archive: Path, members: zipfile.ZipFile) -> None:
    """Refuse the whole archive for one member that would end up elsewhere."""
    for member in members.infolist():
        name = member.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        leads_out = name.startswith("/") or ".." in parts or ":" in name
        if leads_out or stat.S_ISLNK(member.external_attr >> 16):
            raise BrokenDataError(
                f"{archive} holds {member.filename!r}, which leads out of its folder: nothing was "
                "unpacked; get it from its publisher."
            )


def _check_space(folder: Path, needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"Unpacked, it needs {needed / 1e6:.1f} MB, and {folder} has {free / 1e6:.1f} MB free: "
            "make room, or choose another folder."
        )
