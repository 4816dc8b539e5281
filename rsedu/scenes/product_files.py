"""Product files: which file of a folder holds which band, whoever packed it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rsedu.errors import InputError, MissingDataError
from rsedu.io.files import visible_files

#: A folder, or band name -> path.
Files = str | Path | Mapping[str, str | Path]

_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".7z")
_RASTERS = (".tif", ".tiff", ".jp2", ".vrt", ".img", ".nc")
_QUALITY = re.compile(r"^QI_DATA$|^AUX_DATA$|^MSK_")  # ESA's masks carry the names of bands


def band_files(
    source: Files,
    pattern: re.Pattern[str],
    bands: Sequence[str],
    *,
    is_native: Callable[[re.Match[str]], bool] = lambda match: True,
) -> dict[str, str]:
    """Find the file of each band.

    Hidden files, what macOS leaves behind, and the quality masks of ESA's products are passed over.

    Args:
        source: a folder, searched with its subfolders, or band name -> path.
        pattern: finds a band's name, its first group, in the name of a file.
        bands: names wanted, in the order wanted.
        is_native: whether a file that matches is the one with the band's own pixels.

    Raises:
        MissingDataError: no folder, or a band that is not there; the message says what is.
        InputError: two files of one band, or a file in place of the folder.
    """
    if isinstance(source, Mapping):
        files, where = {name: str(path) for name, path in source.items()}, "the files given"
    else:
        folder = Path(source)
        files, where = {}, str(source)
        for path, match in _matching(folder, pattern):
            name = match[1].upper()
            if not is_native(match):
                continue
            if name in files:
                raise InputError(
                    f"{folder} holds two files of {name}, {Path(files[name]).name} and "
                    f"{path.name}: give the folder of one product."
                )
            files[name] = str(path)
    missing = [name for name in bands if name not in files]
    if missing:
        raise MissingDataError(
            f"{', '.join(missing)} not found in {where}, which has "
            f"{', '.join(files) or 'no band'}: files end on _{missing[0]}.tif. "
            "Fetch what is missing, or ask for other bands."
        )
    return {name: files[name] for name in bands}


def _matching(folder: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    _check_folder(folder)
    for path in visible_files(folder):
        match = pattern.search(path.name)
        parts = path.relative_to(folder).parts
        if match is not None and not any(_QUALITY.search(part) for part in parts):
            yield path, match


def _check_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    if not folder.exists():
        raise MissingDataError(f"There is no folder {folder}: check the path.")
    ending = folder.suffix.lower()
    if ending in _ARCHIVES:
        what = "is an archive: unpack it, and give the folder"
    elif ending in _RASTERS:
        what = "is one raster: give the folder of the product, or read it alone by read_window"
    else:
        what = "is a file: give the folder of the product"
    raise InputError(f"{folder} {what}.")
