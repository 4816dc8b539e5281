# %% [markdown]
# # Do features at several pixel sizes find more?
#
# Track A of the afternoon. You have a baseline that runs, a question, and until 15:40:
#
# - map where and when forest went, first on a small place, then on 20 x 20 km;
# - find out whether **Scale-MAE's features at several GSDs** beat what single pixels say;
# - hand in hectares with an interval, and one page.
#
# **80 minutes.** Needs lesson 08; lessons 02 to 04 say what the features are.
# Each cell takes seconds on the small place.

# %% tags=["nbval-ignore-output"]
import numpy as np
from scipy import ndimage

import rsedu
from rsedu import plot
from rsedu.lessons.forest_loss import expected
from rsedu.project import figure
from rsedu.project.attempt import attempt, compare
from rsedu.project.methods import baselines, features, scales
from rsedu.project.place import Place
from rsedu.project.report import Report
from rsedu.project.task import Task

rsedu.setup("08a")

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
# ## The baseline
#
# A random forest on **single pixels**: all twelve bands and both polarisations at six dates, taught
# by the 40 pixels that somebody looked up. It knows nothing of neighbours, and of its 84 numbers
# many are hidden by clouds. **Predict:** its F1, beside that of the radar and Otsu.

# %%
radar = attempt("radar", baselines.RadarLogRatio.fit(task), task, progress=LARGE)
forest = attempt("forest", baselines.PixelForest.fit(task), task, progress=LARGE)
print(compare(radar, forest))
plot.show(figure.draw(forest.mapped, place.truth(), place, forest.score))

# %% [markdown]
# Look at the orange: where are the false alarms, and how large are they? A single pixel of speckle
# looks like anything. What surrounds a pixel is evidence about it.
#
# ## What a larger pixel sees
#
# The fall of backscatter, as means over 10 to 80 m. **Predict:** at which size are lost and kept
# forest best told apart? The number is the share of pairs (one lost, one kept) that come in the
# right order: 0.5 is chance, 1 is perfect.

# %%
window = (slice(0, 400), slice(0, 400))
stack, lost = task.read(window), np.isfinite(place.truth(window))
for n in (1, 2, 4, 8):
    near = ndimage.uniform_filter(10 ** (stack.radar / 10), size=(1, 1, n, n))
    fall = 10 * np.log10(near[:3].mean(axis=0) / near[3:].mean(axis=0)).mean(axis=0)  # VV, VH
    ranks = fall.ravel().argsort().argsort()[lost.ravel()]
    order = (ranks.mean() - (lost.sum() - 1) / 2) / (~lost).sum()
    print(f"{10 * n:2} m: {order:.2f} of the pairs in order")

# %% [markdown]
# Still better at 80 m, where a field has few pixels. But this number does not see outlines: who
# looks 80 m round a pixel cannot say on which side of an edge it lies. So no single size is right,
# and that is the case for *several*.
#
# ## Three ways to beat it
#
# 1. **More teachers.** `PixelClassifier.fit(features.Pixels())` learns on windows of other worlds
#    instead of 40 labels: differences before and after, and means over 1, 3, 5 and 9 pixels. How
#    much of the gain is the labels? `baselines.taught_forest()` tells.
# 2. **Features at mixed GSDs.** `scales.MixedGsd.fit(gsds_m=(5.0, 10.0, 20.0))` adds what
#    Scale-MAE's tokens say at each. Which GSD helps? What if you leave one out?
# 3. **Clean up.** Patches below 0.3 ha are seldom fields: `ndimage.label`, count, drop them. It
#    costs two lines. What does it do to the hectares?

# %% [markdown]
# ## Yours
#
# Anything with a `name` and a `map(stack)` is a method: it gets what both satellites saw of a
# window, and answers with the year of each pixel's loss, NaN for none. Change the first lines, run,
# compare, and note what you tried and *why* in one sentence: that is half of your page.

# %%
few = baselines.TRAIN_PLACES[:2]  # worlds to learn on; all 18 take minutes
method = baselines.RadarLogRatio.fit(task)
### BEGIN SOLUTION
method = baselines.PixelClassifier.fit(scales.MixedGsd.fit(places=few), places=few)
pixels = baselines.PixelClassifier.fit(features.Pixels(), places=few)
### END SOLUTION
print(method.name)

# %% [markdown]
# Is a difference more than luck? On one small place with a dozen clearings, two F1s a hundredth
# apart may change places on the next. Try `seed=2002` before you believe it.

# %% tags=["nbval-ignore-output"]
ours = attempt("ours", method, task, progress=LARGE)
attempts = [radar, forest, ours]
### BEGIN SOLUTION
attempts = [*attempts, attempt("without tokens", pixels, task, progress=LARGE)]
### END SOLUTION
print(compare(*attempts))

# %% [markdown]
# What can be expected, on test places of 20 km that nothing was chosen on:

# %% tags=["nbval-ignore-output"]
told = "Your instructor has the numbers: ask after checkpoint 2."
### BEGIN SOLUTION
told = expected.table(
    "radar",
    "forest, 40 labels",
    "forest, taught elsewhere",
    "pixels, taught elsewhere",
    "A scale-mae",
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
report = Report(
    group="Our name", track="A, features at mixed GSDs", place=place, mapped=ours.mapped, **words
)
print(report.write("afternoon/report-a.html"))

# %% [markdown]
# **Checkpoints.** 14:15: the baseline is on the board. 14:50: `LARGE = True`. 15:20: the map of the
# large place is scored. 15:40: the page is printed, and two minutes are rehearsed.
#
# ```bash
# rsedu score afternoon/ours_3000_20km.tif --group NAME --board FOLDER
# ```
