"""Embeddings kept on disk under what they were made from: the weights and the pixels."""

import hashlib
import tokenize
import warnings
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from rsedu.io.files import write_atomically

# What NumPy raises for a file that was cut short, or whose header is no header.
_DAMAGED = (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile)


class UnkeptWarning(UserWarning):
    """Embeddings can't be kept on disk, so they are made again when they are needed again."""


@cache
def _warn(folder: Path, reason: str) -> None:
    """Say once that nothing can be kept in a folder."""
    warnings.warn(
        f"Embeddings cannot be kept in {folder} ({reason}): the work goes on without; make room, "
        "or choose another folder.",
        UnkeptWarning,
        stacklevel=3,
    )


@dataclass(frozen=True, kw_only=True)
class EmbeddingCache:
    """A folder of embeddings.

    Attributes:
        folder: made when first needed; None keeps nothing.
        weights: what tells one model from another, such as a SHA-256.
    """

    folder: Path | None
    weights: str

    def path(self, image: UInt8[np.ndarray, "rows cols 3"]) -> Path | None:
        """The file for one image; other pixels, sizes or weights have another."""
        if self.folder is None:
            return None
        digest = hashlib.sha256(f"{self.weights} {image.shape}".encode())
        digest.update(np.ascontiguousarray(image).tobytes())
        return self.folder / f"{digest.hexdigest()[:32]}.npy"

    def read(
        self, image: UInt8[np.ndarray, "rows cols 3"]
    ) -> Float32[np.ndarray, "dim h w"] | None:
        """The embedding of an image, or None where it isn't here or can't be read."""
        path = self.path(image)
        if path is None or not path.is_file():
            return None
        try:
            with path.open("rb") as file:  # closed, whatever it turns out to be
                stored = np.load(file, allow_pickle=False)
        except _DAMAGED:  # it is made again
            return None
        whole = isinstance(stored, np.ndarray) and stored.dtype == np.float32 and stored.ndim == 3
        return stored if whole else None

    def write(
        self,
        image: UInt8[np.ndarray, "rows cols 3"],
        embedding: Float32[np.ndarray, "dim h w"],
    ) -> None:
        """Keep an embedding; nothing happens without a folder.

        Where it can't be written, an `UnkeptWarning` says so once, and the work goes on.
        """
        path = self.path(image)
        if path is None:
            return

        def save(temporary: Path) -> None:
            with temporary.open("wb") as file:  # np.save would add a suffix to a path
                np.save(file, embedding)

        try:
            write_atomically(path, save)
        except OSError as error:
            _warn(path.parent, error.strerror or str(error))
