from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from rsedu.errors import BrokenDataError, InputError
from rsedu.project import figure
from rsedu.project.place import Place
from rsedu.project.score import by_year, score


def test_each_pixel_has_its_kind() -> None:
    mapped = np.array([[2021, np.nan], [2022, np.nan]], dtype=np.float32)
    true = np.array([[2024, 2021], [np.nan, np.nan]], dtype=np.float32)
    kinds = figure.errors(mapped, true)
    assert [[figure.NAMES[kind] for kind in row] for row in kinds] == [
        ["found", "missed"],
        ["false alarm", "neither"],
    ]


def test_three_panels_show_truth_map_and_errors(
    place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    found = score(mapped, true, gsd_m=10.0)
    summary = figure.draw(mapped, true, place, found)
    axes = [ax for ax in plt.gcf().axes if ax.get_title()]
    assert [ax.get_title() for ax in axes] == ["truth", "map", "errors"]
    for ax, years in zip(axes, (true, mapped), strict=False):
        np.testing.assert_array_equal(np.ma.filled(ax.images[0].get_array(), np.nan), years)
        assert ax.images[0].get_clim() == (2020.5, 2025.5)
    shown = np.asarray(axes[2].images[0].get_array())
    assert (shown == figure.FOUND).sum() == found.found_px
    assert f"F1 {found.f1:.3f}; {found.mapped_ha:.0f} ha on the map" in summary
    plt.close("all")


def test_the_picture_is_saved_whole_and_closed(
    tmp_path: Path, place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    figure.draw(mapped, true, place, score(mapped, true, gsd_m=10.0))
    figure.save(tmp_path / "score.PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["score.PNG"]
    with Image.open(tmp_path / "score.PNG") as picture:
        assert picture.format == "PNG"
        assert picture.width > 1500
    assert not plt.get_fignums()


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    plt.figure()
    with pytest.raises(BrokenDataError, match="cannot be written: choose another"):
        figure.save(tmp_path / "file" / "score.png")
    assert not plt.get_fignums()
    with pytest.raises(InputError, match=r"ends in \.png, not score\.jpg"):
        figure.save(Path("score.jpg"))


def test_years_show_estimate_interval_count_and_truth(
    place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    years = by_year(mapped, true, place)
    _, ax = plt.subplots()
    summary = figure.draw_years(years, ax=ax)
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == pytest.approx([each.estimated_ha for each in years])
    (reach,) = ax.collections
    ends = np.array([segment[:, 1] for segment in reach.get_segments()])
    assert ends == pytest.approx(np.array([[each.low_ha, each.high_ha] for each in years]))
    shown = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert shown["truth"] == pytest.approx([each.true_ha for each in years])
    assert shown["counted on the map"] == pytest.approx([each.mapped_ha for each in years])
    worst = max(years, key=lambda each: each.estimated_ha)
    assert f"most in {worst.year}, {worst.estimated_ha:.0f} estimated" in summary
    plt.close("all")
