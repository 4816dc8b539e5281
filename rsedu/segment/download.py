"""SAM's released weights: fetched once, in pieces if need be, and checked."""

import re
import urllib.error
import urllib.request
from pathlib import Path

from rsedu.bars import bar
from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.files import sha256

BASE = "https://dl.fbaipublicfiles.com/segment_anything/"
#: The end of each name is the beginning of the file's SHA-256.
FILES = {
    "vit_b": "sam_vit_b_01ec64.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_h": "sam_vit_h_4b8939.pth",
}
_CHUNK = 1 << 20  # bytes
_TIMEOUT_S = 20.0


def expected_digest(file: str) -> str:
    """First hexadecimal digits of a file's SHA-256, as its name tells them.

    Raises:
        InputError: the name tells none.
    """
    digits = re.search(r"_([0-9a-f]{6,64})$", Path(file).stem)
    if digits is None:
        raise InputError(
            f"{file} doesn't end in digits of a SHA-256; wanted a name such as {FILES['vit_b']}."
        )
    return digits.group(1)


def fetch(file: str, folder: Path, *, base: str = BASE) -> Path:
    """Return a file of weights, downloaded where it is not there yet.

    A download that was cut off goes on where it ended. The file gets its name only once its
    SHA-256 fits.

    Args:
        file: name, ending in the first digits of its SHA-256.
        folder: where it is kept; made when missing.
        base: address of the folder that it is fetched from.

    Raises:
        MissingDataError: there is no network, or no such file.
        BrokenDataError: what came is not the file; it was deleted.
    """
    digest, path = expected_digest(file), folder / file
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        _download(base + file, part)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise MissingDataError(
            f"{file} could not be downloaded from {base} ({error}): connect to the internet, and "
            f"it goes on where it ended, or put the file into {folder}."
        ) from error
    if not sha256(part).startswith(digest):
        part.unlink()
        raise BrokenDataError(
            f"What came as {file} has another SHA-256 than its name says; it was deleted. "
            "Download it again."
        )
    part.replace(path)
    return path


def _download(address: str, part: Path) -> None:
    """Fetch what is missing of a file."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is missing
            return
        raise
    with answer:
        goes_on = answer.status == 206  # a server that knows no ranges sends all from the start
        start = have if goes_on else 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        with (
            part.open("ab" if goes_on else "wb") as file,
            bar(total=total, initial=start, unit="B", unit_scale=True, desc=part.stem) as shown,
        ):
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                shown.update(len(chunk))
    if total is not None and part.stat().st_size < total:
        raise ConnectionError(f"only {part.stat().st_size} of {total} bytes came")
