"""SAM's released weights: fetched once, in pieces if need be, and checked."""

import re
from pathlib import Path

from rsedu.errors import InputError
from rsedu.io.http import download

BASE = "https://dl.fbaipublicfiles.com/segment_anything/"
#: The end of each name is the beginning of the file's SHA-256.
FILES = {
    "vit_b": "sam_vit_b_01ec64.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_h": "sam_vit_h_4b8939.pth",
}


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
        InputError: the folder cannot be written, or the disk is too small.
    """
    return download(base + file, folder / file, digest=f"sha256:{expected_digest(file)}")
