"""The lessons in a browser, as a learner has them: run, read, err, mend, come back."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from rsedu.course import registry

pytestmark = pytest.mark.browser

STUB = "raise NotImplementedError"
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if registry.exercises(registry.number_of(path.stem))]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong answer, the name of its misconception, and the right one if it is to be typed too.

    Where `right` is empty the answer comes from the solved notebook.
    """

    wrong: str
    known: str
    right: str = ""


MISTAKES = {
    "00": {
        "to_db": Mistake(
            wrong="return np.log10(power)", known="bel", right="return 10 * np.log10(power)"
        ),
    },
    "01": {
        "reflectance": Mistake(
            wrong="return np.where(dn == 0, np.nan, dn / 10_000)", known="offset forgotten"
        ),
        "ndvi": Mistake(
            wrong="return (red - nir) / (red + nir)",
            known="bands swapped",
            right="difference = nir - red\n    return difference / (nir + red)",
        ),
        "equivalent_looks": Mistake(
            wrong="return power.mean() / power.std()", known="standard deviation"
        ),
        "multilook": Mistake(wrong="return power[::n, ::n]", known="picked, not averaged"),
        "pixel_of": Mistake(
            wrong="return int((x - transform.c) // transform.a), "
            "int((y - transform.f) // transform.e)",
            known="row and column swapped",
        ),
        "hectares": Mistake(wrong="return mask.sum() * gsd_m / 10_000", known="side, not area"),
    },
    "02": {
        "patchify": Mistake(
            wrong="cut = image.reshape(len(image), image.shape[1] // size, size, -1, size)\n"
            "    return cut.transpose(1, 3, 0, 2, 4).reshape(-1, size * size * len(image))",
            known="bands first",
        ),
        "random_mask": Mistake(
            wrong="kept = round(len(noise) * (1 - mask_ratio))\n"
            "    return noise.argsort()[:kept], noise.argsort()",
            known="order not inverted",
        ),
        "put_back": Mistake(
            wrong="missing = len(ids_restore) - len(visible)\n"
            "    return np.concatenate([visible, np.tile(mask_token, (missing, 1))])",
            known="still shuffled",
        ),
        "attention_pairs": Mistake(
            wrong="tokens = (side_px // patch_px) ** 2\n"
            "    visible = round(tokens * (1 - mask_ratio))\n"
            "    return visible, visible / tokens",
            known="pairs counted as tokens",
        ),
        "masked_loss": Mistake(
            wrong="return ((prediction - target) ** 2).mean()",
            known="all patches",
            right="error = ((prediction - target) ** 2).mean(axis=1)\n"
            "    return (error * mask).sum() / mask.sum()",
        ),
        "per_patch_norm": Mistake(
            wrong="return patches - patches.mean(axis=1, keepdims=True)", known="only shifted"
        ),
    },
    "03": {
        "sincos_1d": Mistake(
            wrong="omega = 10_000.0 ** (-np.arange(dim // 2) / (dim // 2))\n"
            "    phase = positions[:, None] * omega\n"
            "    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1)",
            known="cosines first",
        ),
        "grid_code": Mistake(
            wrong="rows, cols, d = len(y_codes), len(x_codes), x_codes.shape[1]\n"
            "    x = np.broadcast_to(x_codes[None], (rows, cols, d))\n"
            "    y = np.broadcast_to(y_codes[:, None], (rows, cols, d))\n"
            "    return np.concatenate([y, x], axis=2).reshape(rows * cols, 2 * d)",
            known="y first",
        ),
        "gsd_phases": Mistake(
            wrong="omega = 10_000.0 ** (-np.arange(dim // 2) / (dim // 2))\n"
            "    return (gsds_m[:, None] * np.arange(length))[:, :, None] * omega",
            known="reference ignored",
        ),
        "wavelengths_m": Mistake(
            wrong="omega = 10_000.0 ** (-np.arange(dim // 4) / (dim // 4))\n"
            "    return 2 * np.pi / omega * reference_m",
            known="patch forgotten",
        ),
        "interleaved_order": Mistake(wrong="return np.arange(dim)", known="left as it was"),
        "gsds_to_pass": Mistake(
            wrong="return gsds_m.clip(*trained_m)",
            known="clipped",
            right="middle = np.sqrt(gsds_m.min() * gsds_m.max())\n"
            "    return gsds_m * np.sqrt(trained_m[0] * trained_m[1]) / middle",
        ),
    },
    "04": {
        "shrink": Mistake(
            wrong="return image[::n, ::n]",
            known="picked",
            right="rows, cols = image.shape\n"
            "    return image.reshape(rows // n, n, cols // n, n).mean(axis=(1, 3))",
        ),
        "take_apart": Mistake(
            wrong="parts = []\n"
            "    for _ in range(levels):\n"
            "        coarse = shrink(image, 2)\n"
            "        parts.append(detail.enlarge(coarse, image.shape) - image)\n"
            "        image = coarse\n"
            "    return [*parts, image]",
            known="sign",
        ),
        "put_together": Mistake(
            wrong="*details, image = parts\n"
            "    for finer in reversed(details):\n"
            "        image = detail.enlarge(image, finer.shape) - finer\n"
            "    return image",
            known="subtracted",
        ),
        "radial_power": Mistake(
            wrong="side = len(image)\n"
            "    cycles = np.fft.fftfreq(side, 1 / side)\n"
            "    rings = np.hypot(cycles[:, None], cycles).round().astype(int)\n"
            "    power = np.abs(np.fft.fft2(image)) ** 2\n"
            "    return np.bincount(rings.ravel(), power.ravel())[: side // 2 + 1]",
            known="not divided",
        ),
        "band_losses": Mistake(
            wrong="return np.abs(high - high_true).mean(), ((low - low_true) ** 2).mean()",
            known="everything counted",
        ),
        "low_target": Mistake(
            wrong="n = len(image) // size\n"
            "    return image.reshape(size, n, size, n).mean(axis=(1, 3))",
            known="as released",
        ),
    },
    "05": {
        "info_nce": Mistake(
            wrong="likeness = np.exp(first @ second.T / temperature)\n"
            "    forth = np.diag(likeness) / likeness.sum(axis=1)\n"
            "    back = np.diag(likeness) / likeness.sum(axis=0)\n"
            "    return -(np.log(forth).mean() + np.log(back).mean()) / 2",
            known="not normalised",
        ),
        "recall_at_k": Mistake(
            wrong="better = (similarity > np.diag(similarity)[:, None]).sum(axis=1)\n"
            "    return (better < k).mean(), (better < k).mean()",
            known="one direction twice",
        ),
        "alibi_bias": Mistake(
            wrong="row, col = np.divmod(np.arange(rows * cols), cols)\n"
            "    distance = np.abs(row[:, None] - row) + np.abs(col[:, None] - col)\n"
            "    return -(2.0 ** (-8 * np.arange(1, heads + 1) / heads))[:, None, None] * distance",
            known="steps along the grid",
        ),
        "cross_bias": Mistake(
            wrong="return bias[:, radar_keep][:, :, radar_keep]",
            known="radar for both",
            right="return bias[:, radar_keep][:, :, optical_keep]",
        ),
        "two_losses": Mistake(
            wrong="both = np.concatenate([optical, radar], axis=2)\n"
            "    mean = both.mean(axis=(1, 2), keepdims=True)\n"
            "    spread = both.std(axis=(1, 2), ddof=1, keepdims=True)\n"
            "    error = (prediction - (both - mean) / spread) ** 2\n"
            "    bands = optical.shape[2]\n"
            "    return error[:, :, :bands].mean() + error[:, :, bands:].mean()",
            known="all patches",
        ),
        "same_place_pairs": Mistake(
            wrong="return batch * (batch - 1) / places",
            known="every pair twice",
            right="return batch * (batch - 1) / 2 / places",
        ),
    },
    "06": {
        "percentile_stretch": Mistake(
            wrong="low, high = np.nanmin(band), np.nanmax(band)\n"
            "    scaled = np.clip((band - low) / (high - low), 0, 1)\n"
            "    return np.round(255 * np.nan_to_num(scaled)).astype(np.uint8)",
            known="smallest and largest",
        ),
        "iou": Mistake(
            wrong="return 2 * (predicted & truth).sum() / (predicted.sum() + truth.sum())",
            known="Dice",
            right="return float((predicted & truth).sum() / (predicted | truth).sum())",
        ),
        "box_of_mask": Mistake(
            wrong="rows = np.flatnonzero(mask.any(axis=1))\n"
            "    cols = np.flatnonzero(mask.any(axis=0))\n"
            "    return int(cols[0]), int(rows[0]), int(cols[-1]), int(rows[-1])",
            known="last pixel, not its edge",
        ),
        "next_click": Mistake(
            wrong="regions = []\n"
            "    for label, wrong in ((1, truth & ~predicted), (0, predicted & ~truth)):\n"
            "        numbers, count = ndimage.label(wrong)\n"
            "        regions += [(numbers == number, label) for number in range(1, count + 1)]\n"
            "    region, label = max(regions, key=lambda each: each[0].sum())\n"
            "    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]\n"
            "    row, col = np.unravel_index(depth.argmax(), depth.shape)\n"
            "    return int(row), int(col), label",
            known="row first",
        ),
        "boundary_bias": Mistake(
            wrong="return float((predicted.sum() - truth.sum()) / outline_px)", known="in pixels"
        ),
    },
    "07": {
        "target_embedding": Mistake(
            wrong="return (features * mask).mean(axis=(1, 2))",
            known="divided by all cells",
            right="return features[:, mask].mean(axis=1)",
        ),
        "cosine_map": Mistake(
            wrong="return np.einsum('drc,d->rc', features, target)", known="dot product"
        ),
        "prior_points": Mistake(
            wrong="points = []\n"
            "    for flat in (similarity.argmax(), similarity.argmin()):\n"
            "        row, col = np.unravel_index(flat, similarity.shape)\n"
            "        points.append(tuple(float(at * cell_px + (cell_px - 1) / 2) "
            "for at in (row, col)))\n"
            "    return tuple(points)",
            known="row first",
        ),
        "guided_attention": Mistake(
            wrong="tilted = np.exp(scores + likelihood)\n"
            "    return tilted / tilted.sum(axis=1, keepdims=True)",
            known="one softmax",
        ),
        "mask_weights": Mistake(
            wrong="return np.linalg.lstsq(chances.T, truth, rcond=None)[0]",
            known="three free weights",
        ),
        "present_threshold": Mistake(
            wrong="return float(np.quantile(peaks, 1 - kept))",
            known="between two",
            right="wanted = int(np.ceil(round(kept * len(peaks), 9)))\n"
            "    return float(np.sort(peaks)[::-1][wanted - 1])",
        ),
    },
    "08": {
        "fall_db": Mistake(
            wrong="return before_db.mean(axis=0) - after_db.mean(axis=0)",
            known="mean of decibels",
            right="before, after = 10 ** (before_db / 10), 10 ** (after_db / 10)\n"
            "    return 10 * np.log10(before.mean(axis=0) / after.mean(axis=0))",
        ),
        "loss_year": Mistake(
            wrong="shows = gone & clear\n"
            "    first = shows.argmax(axis=0)\n"
            "    return np.where(shows.any(axis=0), (dates[first - 1] + dates[first]) / 2, np.nan)",
            known="one step back",
        ),
        "change_scores": Mistake(
            wrong="ours, theirs = np.isfinite(mapped), np.isfinite(truth)\n"
            "    found = ours & theirs\n"
            "    apart = np.abs(mapped[found] - truth[found]).mean()\n"
            "    return float((ours == theirs).mean()), float(apart)",
            known="share of right pixels",
        ),
        "stratified_area": Mistake(
            wrong="drawn = counts.sum(axis=1)\n"
            "    share = counts[:, 1] / drawn\n"
            "    variance = (strata_ha**2 * share * (1 - share) / (drawn - 1)).sum()\n"
            "    return float(counts[:, 1].sum() / drawn.sum() * strata_ha.sum()), "
            "float(np.sqrt(variance))",
            known="all pixels alike",
        ),
        "sample_size": Mistake(
            wrong="spread = (strata_ha * np.sqrt(shares * (1 - shares))).sum()\n"
            "    return int(np.ceil((spread / half_ha) ** 2))",
            known="interval for error",
        ),
        "most_missed_ha": Mistake(
            wrong="return 0.0",
            known="none found, none there",
            right="return stratum_ha * (1 - 0.05 ** (1 / looked))",
        ),
    },
}


def words(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_unfinished_notebook_runs_and_reads_well(lab, notebook):
    lab.open(notebook)
    cells = lab.run_all()
    lab.photograph(notebook.stem)

    for cell in cells:
        assert all(min(each.width, each.height, each.shown) > 50 for each in cell.images), cell
        summaries = re.findall(r"^Figure: (.+)$", cell.text, flags=re.MULTILINE)
        assert cell.alts == summaries, f"cell {cell.index} has pictures without a sentence"
        assert len(cell.images) == len(cell.alts)
        assert cell.kind == "code" or "$" not in cell.text, f"a formula is raw:\n{cell.text}"
    levels = [level for cell in cells for level, _ in cell.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    steps = [after - before for before, after in pairwise(levels)]
    assert max(steps) <= 1, "a heading skips a level"

    assert lab.hosts == {"127.0.0.1"}
    assert lab.console == []


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_a_mistake_is_diagnosed_mended_and_remembered(lab, notebook, repository):
    number = registry.number_of(notebook.stem)
    exercises = registry.exercises(number)
    lab.open(notebook)
    lab.run_cell(lab.holding("rsedu.setup(").index)
    for exercise in exercises:
        mistake = MISTAKES[number][exercise.id]
        cell = answer_wrongly(lab, exercise.id, mistake)
        (known,) = (each for each in exercise.misconceptions if each.name == mistake.known)
        assert cell.text.startswith(f"wrong value: {exercise.title}")
        assert words(known.message) in words(cell.text)
        if mistake.right:
            assert f"wrong value {exercise.title}" in words(progress(lab))

        cell = mend(lab, exercise.id, mistake, solved=repository / "solutions" / notebook.name)
        assert cell.text.startswith(f"passed: {exercise.title}")
        assert f"passed {exercise.title}" in words(progress(lab))

    lab.restart_kernel()
    lab.run_cell(lab.holding("rsedu.setup(").index)
    count = len(exercises)
    assert f"{count} of {count} exercises passed" in progress(lab)
    lab.screenshot(f"{notebook.stem}-progress")


def progress(lab) -> str:
    """What the lesson's last code cell sums up."""
    return lab.run_cell(lab.holding("rsedu.progress(").index).text


def answer_wrongly(lab, exercise: str, mistake: Mistake):
    """Put the wrong answer in the stub's place, with the keyboard where `right` is typed too."""
    index = lab.exercise(exercise).index
    if not mistake.right:
        lab.replace(index, STUB, mistake.wrong)
        return lab.run_cell(index)
    lab.type_over(index, STUB, mistake.wrong)
    lab.press_run()
    lab.screenshot(f"mistake-{exercise}")
    return lab.cells()[index]


def mend(lab, exercise: str, mistake: Mistake, *, solved: Path):
    """Answer rightly, with the keyboard or with the solved notebook's cell."""
    index = lab.exercise(exercise).index
    if mistake.right:
        lab.type_over(index, mistake.wrong, mistake.right)
        lab.press_run()
        return lab.cells()[index]
    cells = nbformat.read(solved, as_version=4).cells
    ids = {cell.metadata.get("rsedu", {}).get("id"): cell.source for cell in cells}
    lab.set_source(index, ids[exercise])
    return lab.run_cell(index)
