# %% [markdown]
# # How many hectares does a minute of clicking buy?
#
# Track C of the afternoon. You have a baseline that runs, a question, and until 15:40:
#
# - map where and when forest went, first on a small place, then on 20 x 20 km;
# - find out what **SAM-assisted labels** are worth: minutes of labour against hectares of error;
# - hand in hectares with an interval, and one page.
#
# **80 minutes.** Needs lesson 08; lesson 06 says how SAM is prompted.
# Each cell takes seconds on the small place.

# %% tags=["nbval-ignore-output"]
import numpy as np

import rsedu
from rsedu import plot
from rsedu.lessons.forest_loss import expected
from rsedu.project.attempt import attempt, compare
from rsedu.project.methods import baselines, clicks
from rsedu.project.place import Place
from rsedu.project.report import Report
from rsedu.project.task import Task
from rsedu.segment import sam
from rsedu.widget import Prompter

rsedu.setup("08c")

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
# Two maps that cost hardly any labour: the radar and Otsu's threshold (0 minutes), and a forest on
# the 40 pixels that somebody looked up (at 10 seconds each, 7 minutes). **Predict:** is the second
# one better?

# %%
radar = attempt("radar", baselines.RadarLogRatio.fit(task), task, progress=LARGE)
forest = attempt("40 pixels", baselines.PixelForest.fit(task), task, progress=LARGE)
print(compare(radar, forest))

# %% [markdown]
# Forty single pixels teach little. A **box** costs about as long as a pixel, and SAM makes hundreds
# of labelled pixels of it, if it outlines the right thing.
#
# ## What a box gives
#
# One window of 128 x 128 pixels, the last clear look in B12, B08, B04. A box around each lost
# clearing, and SAM's outline; the person keeps an outline only if it fits (IoU 0.5 or more).
# **Predict:** how many fit?

# %%
truth = np.isfinite(place.truth())
tops = [(top, left) for top in range(0, 384, 128) for left in range(0, 384, 128)]
top, left = max(tops, key=lambda at: truth[at[0] : at[0] + 128, at[1] : at[1] + 128].sum())
window = (slice(top, top + 128), slice(left, left + 128))
segmenter = sam.load("tiny", device="cpu")
view = clicks.outline(segmenter, task.read(window), truth[window])
axes = plot.panels(1, 2, title="Boxes become labels", size_in=(3.4, 3.6))
for ax, mask, title in zip(axes, (truth[window], view.lost), ("truth", "kept"), strict=True):
    ax.imshow(clicks.shown(view.stack))
    ax.contour(mask, levels=[0.5], colors="white", linewidths=1.2)
    ax.set(title=title, xlabel="column (px of 10 m)", ylabel="row")
shares = [mask.sum() / 100 for mask in (truth[window], view.lost)]
plot.show(f"{shares[1]:.1f} ha of outlines kept, {shares[0]:.1f} ha lost; {view.seconds:.0f} s.")

# %% [markdown]
# The seconds are an **assumption**: ten to look over a window, ten for a box. Measure your own: the
# widget below shows the same window. Box its clearings against the clock, and put your seconds into
# the comparison.

# %%
scene = place.frontier.optical(date=2025.5, window=window)
prompter = Prompter(segmenter.embed(clicks.shown(view.stack)), scene, path="afternoon/masks")
prompter

# %% [markdown]
# ## Three ways to beat it
#
# 1. **Teach by outlines.** `clicks.Clicked.fit(task, minutes=5)` boxes windows in random order
#    until the minutes are over, and trees learn from SAM's outlines. Before that, the edge of each
#    outline is drawn again: a pixel belongs to it if its reflectance changed more like the inside
#    than like what is around (`clicks.refine_boundary`), and from eight windows on, labels that the
#    other windows deny are left out (`clicks.drop_contradicted_labels`). What do these two steps
#    bring? Where does the curve flatten?
# 2. **Don't draw, check.** At ten seconds each, 8 minutes look up 48 random pixels: which interval
#    does the radar's map get from `attempt(..., sample=48)`, which from 500 (83 minutes)? Which
#    buys more, a better map or a larger sample? (Lesson 08 reckoned with a minute a pixel: that is
#    with searching for its image. And every score here had 1000 of them for nothing.)
# 3. **Look where it is unsure.** Random windows are mostly forest that nobody touched. Choose those
#    in which the radar shows a loss; what do you then never learn?

# %% [markdown]
# ## Yours
#
# Anything with a `name` and a `map(stack)` is a method: it gets what both satellites saw of a
# window, and answers with the year of each pixel's loss, NaN for none. Change the first lines, run,
# compare, and note what you tried and *why* in one sentence: that is half of your page. A window
# that would not fit into the minutes any more is left out, so fewer are spent than were given.

# %% tags=["nbval-ignore-output"]
methods = []
### BEGIN SOLUTION
methods = [clicks.Clicked.fit(task, minutes=minutes) for minutes in (1, 4, 8)]
### END SOLUTION
attempts = [
    attempt(f"{60 * method.minutes:.0f} seconds", method, task, progress=LARGE)
    for method in methods
]
print(compare(radar, forest, *attempts))

# %% [markdown]
# Minutes against hectares that are *wrong*, false alarms and omissions together: a map whose errors
# cancel is no better for it.

# %%
(ax,) = plot.panels(1, 1, title="What a minute buys", size_in=(5.0, 3.2))
minutes = [0.0, 40 / 6, *(method.minutes for method in methods)]
maps = [radar, forest, *attempts]
wrong = [(np.isfinite(each.mapped) ^ truth).sum() / 100 for each in maps]
ax.plot(minutes[:2], wrong[:2], "s", color=plot.COLOURS[1], label="baselines")
ax.plot(minutes[2:], wrong[2:], "o", color=plot.COLOURS[0], label="outlines")
ax.set(xlabel="minutes of labour (assumed)", ylabel="hectares that are wrong", ylim=(0, None))
ax.legend(fontsize="small")
best = int(np.argmin(wrong))
least = f"{wrong[best]:.0f} ha after {minutes[best]:.0f} minutes"
plot.show(f"{wrong[0]:.0f} ha are wrong without any labour; at best {least}.")

# %% [markdown]
# What can be expected, on test places of 20 km that nothing was chosen on:

# %% tags=["nbval-ignore-output"]
told = "Your instructor has the numbers: ask after checkpoint 2."
### BEGIN SOLUTION
told = expected.table(
    "radar",
    "forest, 40 labels",
    "C 5 minutes",
    "C 20 minutes",
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
report = Report(group="Our name", track="C, clicks", place=place, mapped=maps[best].mapped, **words)
print(report.write("afternoon/report-c.html"))

# %% [markdown]
# **Checkpoints.** 14:15: the baseline is on the board. 14:50: `LARGE = True`. 15:20: the map of the
# large place is scored. 15:40: the page is printed, and two minutes are rehearsed.
#
# ```bash
# rsedu score afternoon/NAME-OF-THE-BEST_3000_20km.tif --group NAME --board FOLDER
# ```
