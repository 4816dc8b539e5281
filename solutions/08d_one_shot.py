# %% [markdown]
# # Does one example find the loss of a whole scene?
#
# Track D of the afternoon. You have a baseline that runs, a question, and until 15:40:
#
# - map where and when forest went, first on a small place, then on 20 x 20 km;
# - find out how far **one outlined clearing** reaches, and what it finds where there is none;
# - hand in hectares with an interval, and one page.
#
# **80 minutes.** Needs lesson 08; lesson 07 says what one example can and cannot do.
# Each cell takes seconds on the small place.

# %% tags=["nbval-ignore-output"]
from dataclasses import dataclass

import numpy as np

import rsedu
from rsedu import plot
from rsedu.lessons.forest_loss import expected
from rsedu.project import figure
from rsedu.project.attempt import attempt, compare
from rsedu.project.methods import baselines, features, one_example
from rsedu.project.place import Place
from rsedu.project.report import Report
from rsedu.project.task import Task

rsedu.setup("08d")

# %% [markdown]
# ## The place, and one line that makes it large
#
# Try everything on the small place, as often as you like. Map the large one **once**, with what you
# have decided on: whoever looks at a score and changes the method has tuned on it, and the score no
# longer means what it says.

# %%
LARGE = False  # True: 20 x 20 km, 25 windows, minutes; stop and go on as you like
place = Place(seed=3000) if LARGE else Place(seed=2001, size_m=4000.0)
task = Task(place=place)
print("SYNTHETIC", place)

# %% [markdown]
# ## One example
#
# Somebody outlines *one* lost clearing, the middle one in size: that is all you are told about this
# place. Its description is the mean of what its pixels say before and after
# (`evidence.Pixels`: indices, backscatter, means of neighbours). **Predict:** what will not look
# like it, although it was lost?

# %%
example = one_example.example_of(task)
likeness = example.likeness()
print(f"{example.mask.sum() / 100:.1f} ha, described by {len(likeness)} numbers")

# %% [markdown]
# ## The baseline
#
# Likeness is a distance. Each number is measured in units of its own spread within the example;
# what is no further away than 95 % of the example's own pixels counts as lost, and the radar dates
# it.


# %%
@dataclass(frozen=True, kw_only=True)
class Nearest:
    """As near to the example's mean as its own pixels are."""

    example: one_example.Example
    share: float = 0.95

    @property
    def name(self):
        """Method, share and example."""
        return f"nearest {self.share:g} to {self.example.name}"

    def distance(self, planes):
        """Root mean square of the differences, in spreads of the example; NaN left out."""
        own = features.Pixels()(self.example.stack)[:, self.example.mask]
        spread = np.nanstd(own, axis=1)[:, None]
        apart = (planes - self.example.likeness()[:, None]) / np.maximum(spread, 1e-3)
        return np.sqrt(np.nanmean(apart**2, axis=0)), own

    def map(self, stack):
        """Year of each pixel's loss, NaN for none."""
        planes = features.Pixels()(stack)
        apart, own = self.distance(planes.reshape(len(planes), -1))
        most = np.quantile(self.distance(own)[0], self.share)
        return features.dated(stack, apart.reshape(stack.shape) <= most)


# %% [markdown]
# It knows what the example looks like, and nothing of what *else* a loss may look like: grass, bare
# soil, a crop. **Predict:** precision or recall, which one suffers?

# %%
nearest = attempt("nearest", Nearest(example=example), task, progress=LARGE)
radar = attempt("radar", baselines.RadarLogRatio.fit(task), task, progress=LARGE)
print(compare(nearest, radar))
print(f"nearest: precision {nearest.score.precision:.2f}, recall {nearest.score.recall:.2f}")
plot.show(figure.draw(nearest.mapped, place.truth(), place, nearest.score))

# %% [markdown]
# ## Three ways to beat it
#
# 1. **Learn what may differ.** `one_example.OneExample.fit(example)` learns on other worlds, from
#    pairs of an example and a window, which differences matter. The example stays the only label
#    of this place.
# 2. **Another example.** Take the largest clearing, or the newest: `one_example.Example(stack=...,
#    mask=...)`. How much does the choice decide? Lesson 07 had an answer for outlines.
# 3. **Two examples.** One of a field, one of bare soil: lost is what is like either. What do two
#    cost in false alarms?

# %% [markdown]
# ## Yours
#
# Anything with a `name` and a `map(stack)` is a method: it gets what both satellites saw of a
# window, and answers with the year of each pixel's loss, NaN for none. Change the first lines, run,
# compare, and note what you tried and *why* in one sentence: that is half of your page.

# %%
few = baselines.TRAIN_PLACES[:2]  # worlds to learn on; all 18 take minutes
method = Nearest(example=example, share=0.99)
### BEGIN SOLUTION
method = one_example.OneExample.fit(example, places=few)
### END SOLUTION
ours = attempt("ours", method, task, progress=LARGE)
print(compare(nearest, radar, ours))

# %% [markdown]
# ## Where there is none
#
# A method that always finds something is worthless where nothing was lost, and that is most of the
# world. Cut the place into square kilometres and look at those without any loss. **Predict:** who
# stays silent?

# %%
truth = np.isfinite(place.truth())
side = truth.shape[0] // 100
empty = truth.reshape(side, 100, side, 100).sum(axis=(1, 3)) == 0
print(f"{empty.sum()} of {empty.size} square kilometres lost nothing")
for each in (nearest, radar, ours):
    cells = np.isfinite(each.mapped).reshape(side, 100, side, 100).sum(axis=(1, 3))
    false = cells[empty] / 100
    print(f"{each.name:8}: {false.mean():.2f} ha found there per km2, {false.max():.2f} at most")

# %% [markdown]
# (One small place: the sign of a difference may change on the next. Try `seed=2002`.) On 20 x 20 km
# a tenth of a hectare per square kilometre adds up to 40 ha that never happened.

# %% [markdown]
# What can be expected, on test places of 20 km that nothing was chosen on:

# %% tags=["nbval-ignore-output"]
told = "Your instructor has the numbers: ask after checkpoint 2."
### BEGIN SOLUTION
told = expected.table(
    "radar",
    "forest, 40 labels",
    "pixels, taught elsewhere",
    "D one example",
)
### END SOLUTION
print(told)

# %% [markdown]
# ## Your page
#
# Two texts are yours; the rest fills itself. Open the page in a browser: it prints on one sheet, or
# saves as PDF.
#
# - `method`: we mapped loss by ...; we chose it because ... (F1 ... on ..., against ...); we tried
#   ... and dropped it, because ...
# - `limits`: do not use this map for ..., because ...; its hectares are between ... and ...

# %%
words = {"method": "", "limits": ""}  # yours, in full sentences
report = Report(group="Our name", track="D, one example", place=place, mapped=ours.mapped, **words)
print(report.write("afternoon/report-d.html"))

# %% [markdown]
# **Checkpoints.** 14:15: the baseline is on the board. 14:50: `LARGE = True`. 15:20: the map of the
# large place is scored. 15:40: the page is printed, and two minutes are rehearsed.
#
# ```bash
# rsedu score afternoon/ours_3000_20km.tif --group NAME --board FOLDER
# ```
