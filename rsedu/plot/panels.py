"""Panels side by side, shown with one sentence, or kept as a small picture."""

import io

import matplotlib.pyplot as plt
import PIL.Image
from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette, which stays distinct for colour-blind readers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def panels(
    rows: int, cols: int, *, title: str, size_in: tuple[float, float] = (3.2, 3.0)
) -> list[Axes]:
    """Open a figure of rows x cols panels, each (width, height) inches, and return them by row."""
    width, height = size_in
    figure, axes = plt.subplots(
        rows, cols, figsize=(width * cols, height * rows), layout="constrained", squeeze=False
    )
    figure.suptitle(title)
    return list(axes.flat)


def show(summary: str) -> None:
    """Display the current figure, close it, and print `summary` under it.

    The sentence is what a screen reader reads and what remains where images do not load, so it
    says what is to be seen, with the number.
    """
    figure = plt.gcf()
    display(Image(small_png(figure), alt=summary))  # type: ignore[no-untyped-call]
    plt.close(figure)
    print(f"Figure: {summary}")


def small_png(figure: Figure) -> bytes:
    """Return a figure as PNG in 256 colours of its own: a third of the size, where it is stored."""
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png")
    PIL.Image.open(full).convert("RGB").quantize(256).save(small, format="png", optimize=True)
    return small.getvalue()
