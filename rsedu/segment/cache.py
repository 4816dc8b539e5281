"""Embeddings kept on disk under what they were made from: the weights and the pixels."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from rsedu.files import write_atomically


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
            stored: np.ndarray = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):  # cut short: it is made again
            return None
        return stored

    def write(
        self,
        image: UInt8[np.ndarray, "rows cols 3"],
        embedding: Float32[np.ndarray, "dim h w"],
    ) -> None:
        """Keep an embedding; nothing happens without a folder."""
        path = self.path(image)
        if path is None:
            return

        def save(temporary: Path) -> None:
            with temporary.open("wb") as file:  # np.save would add a suffix to a path
                np.save(file, embedding)

        write_atomically(path, save)
