import io
from dataclasses import replace
from importlib import import_module

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from affine import Affine
from matplotlib.colors import to_rgb

from rsedu import plot
from rsedu.errors import InputError
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.scene import Scene
from rsedu.synthetic import land_cover


@pytest.fixture(autouse=True)
def figures():
    matplotlib.use("Agg")
    yield
    plt.close("all")


def scene(array: np.ndarray, bands: tuple[str, ...], unit: str = "reflectance") -> Scene:
    return Scene(
        array=array.astype(np.float32),
        bands=bands,
        units=(unit,) * len(bands),
        transform=Affine(10, 0, 0, 0, -10, 0),
        crs=None,
    )


@pytest.fixture
def colours() -> Scene:
    """B02 rises to the east, B03 to the south, B04 is even, B08 falls to the east."""
    rows, cols = np.mgrid[0:30, 0:40]
    even = np.full((30, 40), 0.1)
    return scene(
        np.stack([cols / 100, rows / 100, even, (39 - cols) / 100]), ("B02", "B03", "B04", "B08")
    )


def picture(ax) -> np.ndarray:
    (image,) = ax.get_images()
    return np.asarray(image.get_array())


RAMP = np.arange(101.0)


@pytest.mark.parametrize(
    ("values", "settings", "stretched"),
    [
        pytest.param(
            [[RAMP], [10 * RAMP]],
            {"low": 10, "high": 90},
            [[np.clip((RAMP - 10) / 80, 0, 1)]] * 2,
            id="each band by its own percentiles",
        ),
        pytest.param([[[np.nan, 0.0, 1.0]]], {}, [[[0, 0, 1]]], id="no data is 0"),
        pytest.param([[[3.0, 3.0, 3.0]]], {}, [[[0, 0, 0]]], id="no contrast is 0"),
        pytest.param(
            [[[1.0, 5.0, -1.0]]],
            {"like": np.array([[[0.0, 2.0]]])},
            [[[0.5, 1, 0]]],
            id="by the percentiles of another picture",
        ),
    ],
)
def test_stretch(values, settings, stretched):
    got = plot.stretch(np.array(values), **{"low": 0, "high": 100, **settings})
    np.testing.assert_allclose(got, stretched)


def test_true_colour_puts_red_green_and_blue_where_they_belong(colours):
    rgb = picture(plot.true_colour(colours))
    assert rgb.shape == (30, 40, 3)
    assert (rgb[..., 0] == 0).all()  # B04 is even
    assert rgb[-1, 0, 1] > rgb[0, 0, 1]  # B03 rises to the south
    assert rgb[0, -1, 2] > rgb[0, 0, 2]  # B02 rises to the east


def test_false_colour_shows_near_infrared_as_red(colours):
    rgb = picture(plot.false_colour(colours))
    assert rgb[0, 0, 0] > rgb[0, -1, 0]
    assert (rgb[..., 1] == 0).all()
    assert rgb[-1, 0, 2] > rgb[0, 0, 2]


def test_colours_can_be_those_of_another_scene(colours):
    brighter = scene(colours.array + 1, colours.bands)
    assert picture(plot.true_colour(brighter, like=colours))[..., 1:].min() == 1.0


def test_a_colour_picture_takes_three_bands(colours):
    with pytest.raises(InputError, match="three bands; came"):
        plot.composite(colours, ("B02", "B03"), title="two")


@pytest.mark.parametrize(
    ("unit", "label"), [("sigma0_db", "backscatter sigma0 (dB)"), ("dn", "digital number")]
)
def test_a_band_has_its_unit_on_the_bar(colours, unit, label):
    radar = scene(colours.array[:2], ("VV", "VH"), unit)
    ax = plot.band(radar, "VH", limits=(-20, -5))
    (image,) = ax.get_images()
    np.testing.assert_array_equal(np.asarray(image.get_array()), radar.band("VH"))
    assert image.get_clim() == (-20, -5)
    assert image.colorbar.ax.get_ylabel() == label
    assert ax.get_title() == "VH"
    assert plot.band(radar, "VH", bar=False).get_images()[-1].colorbar is None


def test_an_index_is_stretched_to_its_percentiles(colours):
    values = np.linspace(0, 1, 1200).reshape(30, 40)
    ax = plot.index_map(values, colours, label="NDVI", title="index")
    np.testing.assert_allclose(ax.get_images()[0].get_clim(), (0.02, 0.98), atol=1e-9)


def test_each_class_has_its_own_colour_and_name(colours):
    classes = np.tile(np.arange(8), (30, 5))
    ax = plot.class_map(
        classes, colours, names=land_cover.CLASSES, colours=land_cover.COLOURS, title="classes"
    )
    (image,) = ax.get_images()
    shown = image.to_rgba(np.arange(8))
    np.testing.assert_allclose(shown[:, :3], [to_rgb(colour) for colour in land_cover.COLOURS])
    labels = [text.get_text() for text in image.colorbar.ax.get_yticklabels()]
    assert labels == list(land_cover.CLASSES)


@pytest.mark.parametrize(
    ("cols", "gsd_m", "metres", "label"),
    [
        (80, 10, 200, "200 m"),
        (79, 10, 100, "100 m"),
        (512, 10, 1000, "1 km"),
        (64, 2.5, 20, "20 m"),
        (90, 60, 1000, "1 km"),
    ],
)
def test_the_scale_bar_is_as_long_as_it_says(cols, gsd_m, metres, label):
    transform = Affine(gsd_m, 0, 0, 0, -gsd_m, 0)
    ground = replace(scene(np.zeros((1, 50, cols)), ("B02",)), transform=transform)
    ax = plot.scale_bar(plt.gca(), ground)
    (bar,) = ax.patches
    assert bar.get_width() * gsd_m == pytest.approx(metres)
    assert [text.get_text() for text in ax.texts] == [label]


def test_the_bands_stand_where_their_wavelength_is():
    ax = plot.spectral_bands()
    names = [text.get_text() for text in ax.texts if text.get_text().startswith("B")]
    assert names == list(S2_BANDS)
    bars = {name: bar.patches[0] for name, bar in zip(names, ax.containers, strict=True)}
    red = bars["B04"]
    assert red.get_x() < 0.665 < red.get_x() + red.get_width()
    assert red.get_y() + red.get_height() / 2 == pytest.approx(10)
    assert bars["B09"].get_y() + bars["B09"].get_height() / 2 == pytest.approx(60)


def test_a_curves_band_is_as_wide_as_its_interval():
    ax = plot.curve([1, 2], [0.5, 0.7], [0.1, 0.2], label="kNN", colour="#000000")
    (line,), (band,) = ax.lines, ax.collections
    np.testing.assert_array_equal(line.get_ydata(), [0.5, 0.7])
    corners = {tuple(np.round(point, 6)) for point in band.get_paths()[0].vertices}
    assert {(1.0, 0.4), (1.0, 0.6), (2.0, 0.5), (2.0, 0.9)} <= corners


def test_a_correlation_runs_from_minus_one_to_one():
    matrix = np.array([[1.0, -0.5], [-0.5, 1.0]])
    ax = plot.correlation(matrix, ("B02", "B03"), title="bands")
    (image,) = ax.get_images()
    assert image.get_clim() == (-1, 1)
    np.testing.assert_array_equal(np.asarray(image.get_array()), matrix)
    assert image.colorbar.ax.get_ylabel() == "correlation"
    assert plot.correlation(matrix, ("B02", "B03"), title="bands", bar=False)


def test_panels_are_listed_by_row():
    axes = plot.panels(2, 3, title="six", size_in=(2, 1.5))
    places = [ax.get_subplotspec() for ax in axes]
    assert [(place.rowspan.start, place.colspan.start) for place in places] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)
    ]  # fmt: skip
    np.testing.assert_allclose(axes[0].figure.get_size_inches(), (6, 3))


def test_a_figure_comes_with_its_sentence(monkeypatch, capsys):
    shown = []
    # By its name, rsedu.plot.panels is the function.
    monkeypatch.setattr(import_module("rsedu.plot.panels"), "display", shown.append)
    plot.panels(1, 1, title="nothing")
    plot.show("an empty panel, 0 pixels.")
    (image,) = shown
    assert image.alt == "an empty panel, 0 pixels."
    with PIL.Image.open(io.BytesIO(image.data)) as png:
        assert png.format == "PNG"
        assert png.mode == "P"
    assert capsys.readouterr().out == "Figure: an empty panel, 0 pixels.\n"
    assert plt.get_fignums() == []
