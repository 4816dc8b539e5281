# %% [markdown]
# # Is one example enough to find the others?
#
# After this notebook you will be able to
#
# - describe an object by **one vector**, and ask every place of an image how much it resembles it;
# - follow PerSAM step by step (clicks, guided attention, a mixture of masks) and say what each step
#   is worth **here**;
# - set a threshold that answers "it is not there", and say how often it is right.
#
# **50 minutes.** Needs lesson 06. Nothing is downloaded; no cell takes longer than 10 seconds.

# %% tags=["nbval-ignore-output"]
from itertools import pairwise

import numpy as np

import rsedu
from rsedu import plot
from rsedu.course import results
from rsedu.evaluation import interval, masks as metrics, paired_interval
from rsedu.lessons.one_example import lab
from rsedu.scenes import colours as rgb, samples
from rsedu.segment import Prompt, baselines, oneshot, regions, sam
from rsedu.segment.learning import objects
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import CLASSES

rsedu.setup("07")

# %% [markdown]
# ## One pasture
#
# In lesson 06 every object cost a click or a box. A frontier has thousands of them. Wouldn't it do
# to show **one**, and say "all of these, please"? That is one-shot segmentation; PerSAM (Zhang et
# al., 2024) does it with a SAM as it is, without training.
#
# Our place again, the whole of it this time: 7.7 x 7.7 km, cut into 36 tiles. The colours are near
# infrared, red and green. The example is the small pasture in the middle of the tile of lesson 06.

# %%
model = sam.load("tiny")
infrared = ("B08", "B04", "B03")
place = Frontier(seed=3000, size_m=7680.0)
whole = place.optical(date=2020.0, gsd_m=10.0)
classes = place.truth(date=2020.0, gsd_m=10.0).classes


def tile_at(row, col):
    """Scene, classes and embedding of one tile of 128 x 128 pixels."""
    scene = whole.crop(rows=slice(row, row + 128), cols=slice(col, col + 128))
    there = classes[row : row + 128, col : col + 128]
    return scene, there, model.embed(scene, bands=infrared)


# %%
home, home_classes, embedded = tile_at(256, 512)
numbers = objects.plots(home_classes, least_px=150)
plots = [numbers == number for number in range(1, numbers.max() + 1)]
example = min(plots, key=lambda each: np.hypot(*np.subtract(regions.interior_point(each), 64)))
kind = np.bincount(home_classes[example]).argmax()
(ax,) = plot.panels(1, 1, title="The example", size_in=(3.2, 3.5))
plot.false_colour(home, title=f"one {CLASSES[kind]}", ax=ax)
ax.contour(example, levels=[0.5], colors="white", linewidths=1.5)
plot.show(f"one {CLASSES[kind]} of {example.sum() / 100:.1f} hectares; there are others round it.")

# %% [markdown]
# The image encoder has turned the tile into 16 x 16 **cells** of 8 x 8 pixels, each with a vector
# of 128 numbers. Those of the cells that the example covers tell what it looks like to the model.
# Their mean is the **target embedding**:
#
# $$t = \frac{1}{|M|} \sum_{c \in M} f_c$$
#
# ### Exercise: what does it look like?
#
# Difficulty 1 of 3 · 5 minutes · 2 points
#
# **Goal:** one vector for the example.


# %% rsedu={"id": "target_embedding"}
def target_embedding(features, mask):
    """Mean embedding of the cells of a mask.

    Args:
        features: (dim, rows, cols) float, a vector for each cell.
        mask: (rows, cols) bool, True on the object; one cell at least.

    Returns:
        (dim,) float.
    """
    ### BEGIN SOLUTION
    return features[:, mask].mean(axis=1)
    ### END SOLUTION


rsedu.check("target_embedding", target_embedding)
target_embedding = rsedu.checkpoint("target_embedding", target_embedding)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Only the cells that the example covers count: a mask can be used as an index. What is left to do
# with their vectors?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>features[:, mask]</code> has one column for each cell: average over axis 1.
# </details>

# %%
features = embedded.features(embedded.tiles[0])[0].numpy()
share = example.reshape(16, 8, 16, 8).mean(axis=(1, 3))
target = target_embedding(features, share >= 0.5)
print("cells of which the example covers half or more:", (share >= 0.5).sum())
print("numbers in the target:", target.size)

# %% [markdown]
# ## Where else?
#
# Two vectors that point the same way are alike, whatever their length. So the question to each cell
# is the cosine of its angle with the target: 1 for the same direction, 0 for none in common, below
# 0 for opposite.
#
# $$S_c = \frac{f_c \cdot t}{\lVert f_c \rVert \, \lVert t \rVert}$$
#
# ### Exercise: where is something like it?
#
# Difficulty 2 of 3 · 5 minutes · 2 points
#
# **Goal:** a map of likeness.


# %% rsedu={"id": "cosine_map"}
def cosine_map(features, target):
    """Cosine of each cell's vector with the target.

    Args:
        features: (dim, rows, cols) float.
        target: (dim,) float.

    Returns:
        (rows, cols) float, -1 to 1.
    """
    ### BEGIN SOLUTION
    lengths = np.linalg.norm(features, axis=0) * np.linalg.norm(target)
    return np.einsum("drc,d->rc", features, target) / lengths
    ### END SOLUTION


rsedu.check("cosine_map", cosine_map)
cosine_map = rsedu.checkpoint("cosine_map", cosine_map)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# The cosine of two vectors is their dot product, once both have been brought to length 1.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>np.einsum("drc,d->rc", features, target)</code> is the dot product with each cell,
# <code>np.linalg.norm(features, axis=0)</code> the length of each cell's vector.
# </details>

# %% [markdown]
# The map of the example's own tile, and of its neighbour to the north, of which the target knows
# nothing. **Predict:** will forest be near 0, or below?

# %%
north, north_classes, north_embedded = tile_at(128, 512)
north_features = north_embedded.features(north_embedded.tiles[0])[0].numpy()
maps = [cosine_map(each, target) for each in (features, north_features)]
axes = plot.panels(2, 2, title="How much like the example?", size_in=(3.2, 2.8))
for column, (scene, likeness) in enumerate(zip((home, north), maps, strict=True)):
    plot.false_colour(scene, title=("its own tile", "to the north")[column], ax=axes[column])
    shown = axes[2 + column].imshow(likeness, vmin=-0.5, vmax=1, extent=(0, 128, 128, 0))
    axes[2 + column].figure.colorbar(shown, ax=axes[2 + column], label="cosine")
axes[0].contour(example, levels=[0.5], colors="white", linewidths=1.5)
plot.show(f"largest {maps[0].max():.2f} at home and {maps[1].max():.2f} in the north.")

# %%
for name in ("pasture", "crop", "regrowth", "forest"):
    means = []
    for there, likeness in zip((home_classes, north_classes), maps, strict=True):
        cells = (there == CLASSES.index(name)).reshape(16, 8, 16, 8).mean(axis=(1, 3))
        means.append(likeness[cells >= 0.9].mean() if (cells >= 0.9).any() else np.nan)
    print(f"{name:9}: cosine {means[0]:.1f} at home, {means[1]:.1f} in the north")

# %% [markdown]
# Pastures stand out, in the other tile as well: 0.8 and 0.7, everything else 0.2 to 0.4. (Not 0:
# cells have much in common, merely by being cells of one model.) The peak of the map is lower in
# the north, 0.87 for 0.99; remember that for later.
#
# ## From likeness to clicks
#
# PerSAM clicks on the **most** similar place, and, as a negative click, on the **least** similar
# one. The map has cells, a prompt has pixels: (column, row), x first, in the middle of the cell.
#
# ### Exercise: where would it click?
#
# Difficulty 2 of 3 · 6 minutes · 2 points
#
# **Goal:** two clicks from a map.


# %% rsedu={"id": "prior_points"}
def prior_points(similarity, cell_px):
    """Most and least similar place.

    Args:
        similarity: (rows, cols) float, one value for each cell.
        cell_px: side of a cell, in pixels. The first cell has pixels 0 to cell_px - 1.

    Returns:
        Two points, the most similar first, each (col, row) in pixels: the middle of its cell, which
        for pixels 0 to 7 is 3.5.
    """
    ### BEGIN SOLUTION
    points = []
    for flat in (similarity.argmax(), similarity.argmin()):
        row, col = np.unravel_index(flat, similarity.shape)
        points.append(tuple(float(at * cell_px + (cell_px - 1) / 2) for at in (col, row)))
    return tuple(points)
    ### END SOLUTION


rsedu.check("prior_points", prior_points)
prior_points = rsedu.checkpoint("prior_points", prior_points)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# <code>similarity.argmax()</code> counts through the flat array;
# <code>np.unravel_index(..., similarity.shape)</code> makes (row, col) of it.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# The pixels of cell 2 are 16 to 23 if a cell has 8. Their mean is 19.5.
# </details>

# %% [markdown]
# Now one click on the most similar place, in each of the four tiles around home: nobody has looked
# at them. **Predict:** how many of the four clicks hit a pasture, and how many outlines fit?

# %%
around = {"north": (128, 512), "west": (256, 384), "south": (384, 512), "east": (256, 640)}
neighbours = {name: tile_at(row, col) for name, (row, col) in around.items()}


def pastures_of(there):
    """The objects that are looked for: pastures of 64 pixels or more."""
    numbers = objects.plots(there, least_px=64)
    every = [numbers == number for number in range(1, numbers.max() + 1)]
    return [each for each in every if np.bincount(there[each]).argmax() == kind]


axes = plot.panels(1, 4, title="One click on the most similar place", size_in=(1.9, 2.9))
for ax, (name, (scene, there, seen)) in zip(axes, neighbours.items(), strict=True):
    likeness = cosine_map(seen.features(seen.tiles[0])[0].numpy(), target)
    click, _ = prior_points(likeness, 8)
    mask = seen.predict(Prompt(points=(click,))).mask
    fits = max(metrics.iou(mask, each) for each in pastures_of(there))
    plot.false_colour(scene, title=f"{name}: IoU {fits:.2f}", ax=ax)
    ax.contour(mask, levels=[0.5], colors="white", linewidths=1.5)
    ax.plot(*click, "+", color="white", markersize=9, markeredgewidth=2)
    print(f"{name:5}: hit {CLASSES[there[round(click[1]), round(click[0])]]}")
plot.show("the IoU is that with the pasture that fits best.")

# %% [markdown]
# All four clicks hit a pasture that nobody pointed at. The outlines are as good as those of any
# click: 0.91 in the north, 0.59 in the east, where a part of a field stands for the whole. Four
# tiles prove little; the five groups of worlds come below.

# %% [markdown]
# ## PerSAM, step by step
#
# PerSAM does more. In the decoder, tokens attend to cells: $Q$ are the tokens' queries, $K$ the
# cells' keys, $d$ their length. The likeness, made a **likelihood**
# $S' = \sigma((S - \bar S) / \mathrm{sd}(S))$ between 0 and 1, is to draw attention to where
# the target may be. The published code adds it *after* the softmax and takes another one:
#
# $$A = \mathrm{softmax}(\mathrm{softmax}(Q K^\top / \sqrt d) + S')$$
#
# ### Exercise: attention that knows where to look
#
# Difficulty 2 of 3 · 6 minutes · 3 points
#
# **Goal:** guide attention as PerSAM does.


# %% rsedu={"id": "guided_attention"}
def guided_attention(scores, likelihood):
    """Weights of attention, tilted to where the target is likely.

    Args:
        scores: (tokens, cells) float, Q K / sqrt(d).
        likelihood: (cells,) float, 0 to 1.

    Returns:
        (tokens, cells) float; each row sums to 1.
    """
    ### BEGIN SOLUTION
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    tilted = np.exp(weights + likelihood)
    return tilted / tilted.sum(axis=1, keepdims=True)
    ### END SOLUTION


rsedu.check("guided_attention", guided_attention)
guided_attention = rsedu.checkpoint("guided_attention", guided_attention)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# A softmax: <code>np.exp(x)</code>, divided by its sum over the cells, <code>axis=1,
# keepdims=True</code>.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# Softmax of the scores, add the likelihood, softmax of that.
# </details>

# %% [markdown]
# Look at what the second softmax does. A token that is sure puts most of its attention into one of
# 256 cells. **Predict:** how much of it is left there after guidance, if that cell is likely (1)
# and the others are not (0)?

# %%
scores = np.zeros((1, 256))
scores[0, 100] = 10.0
likely = np.zeros(256)
likely[100] = 1.0
before = np.exp(scores) / np.exp(scores).sum()
after = guided_attention(scores, likely)
print(f"attention to the one right cell: {before[0, 100]:.3f} before, {after[0, 100]:.3f} after")
print(f"an even share would be {1 / 256:.3f}")

# %% [markdown]
# Nearly all is lost. The inner softmax gives 1 at most, the likelihood another 1: together e to the
# 2, 7.4, against 255 cells of e to the 0, 1 each. So 7.4 / 262 = 0.028 is the most that any cell
# can get: guidance makes attention almost **even**, whatever the tokens wanted. Will our model bear
# that?
#
# The other steps: the target is added to every token's query; the *single* mask is asked for (the
# decoder's fourth mask token, for clear prompts); and twice the mask is fed back, the second time
# with the box around it. Each bar has all steps of those above it, and one more:

# %%
stored = results.stored("07_oneshot")
runs = [run["iou"] for run in stored["runs"]]
steps = (
    "click",
    "and a negative click",
    "in one mask",
    "second softmax alone",
    "and guidance",
    "and the target in the queries",
    "and two refinements: PerSAM",
    "PerSAM-F",
)
found = [interval([run[step] for run in runs]) for step in steps]
(ax,) = plot.panels(1, 1, title="IoU after each step, 95 %", size_in=(6.0, 3.4))
backwards = found[::-1]
errors = [[one.mean - one.low for one in backwards], [one.high - one.mean for one in backwards]]
ax.barh(steps[::-1], [one.mean for one in backwards], xerr=errors)
ax.set(xlabel="IoU with the object that fits best", xlim=(0, 1))
plot.show(
    f"one click {found[0].mean:.2f}, PerSAM {found[6].mean:.2f}, PerSAM-F {found[7].mean:.2f}."
)

# %% [markdown]
# Read the bars from above. A negative click and the single mask change nothing. The second
# softmax **alone**, without any likeness in it, takes the IoU from 0.49 to 0.14: even attention
# means tokens that see an average of the tile. Guidance wins back 0.015, the target in the queries
# nothing. The two refinements, which are plain prompts again, repair it to 0.34, and that is below
# the bare click they started from (0.51). PerSAM-F, which leaves attention alone, is level with it.
#
# So, in this small model, PerSAM is worth less than its first step. Is that so in the published
# SAM? Its paper reports otherwise, on photographs; we have **not** measured it, since it needs a
# download: `sam.load("vit_b")` in place of `sam.load("tiny")`, and the cells above run again.

# %% [markdown]
# ## Which of the three masks?
#
# PerSAM-F ("fine-tuned") learns two numbers from the example. A click has three masks $M_0, M_1,
# M_2$; how they are mixed is to fit the example:
#
# $$M = w_0 M_0 + w_1 M_1 + w_2 M_2, \qquad w_0 = 1 - w_1 - w_2.$$
#
# The published code takes 1000 steps of gradient descent and runs the whole decoder in each. But
# the masks never change! Made once, two numbers are a problem of least squares: $M - T = (M_0 - T)
# + w_1 (M_1 - M_0) + w_2 (M_2 - M_0)$.
#
# ### Exercise: how much does each mask count?
#
# Difficulty 3 of 3 · 8 minutes · 3 points
#
# **Goal:** three weights that sum to 1, in closed form.


# %% rsedu={"id": "mask_weights"}
def mask_weights(chances, truth):
    """Weights of three masks whose mixture has the least squared difference to the truth.

    Args:
        chances: (3, cells) float, 0 to 1: three soft masks, flattened.
        truth: (cells,) float, 0 to 1: share of each cell that is the object.

    Returns:
        (3,) float: w0, w1, w2, whose sum is 1. Weights may be below 0 or above 1.
    """
    ### BEGIN SOLUTION
    away = (chances[1:] - chances[0]).T
    second, third = np.linalg.lstsq(away, truth - chances[0], rcond=None)[0]
    return np.array([1 - second - third, second, third])
    ### END SOLUTION


rsedu.check("mask_weights", mask_weights)
mask_weights = rsedu.checkpoint("mask_weights", mask_weights)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Put w0 = 1 - w1 - w2 in first: what is left to explain is <code>truth - chances[0]</code>, by the
# two differences <code>chances[1] - chances[0]</code> and <code>chances[2] - chances[0]</code>.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>np.linalg.lstsq(A, b, rcond=None)[0]</code> solves A w = b; A has a column for each
# difference.
# </details>

# %% [markdown]
# On the example: your weights, and those that the gradient descent finds. It minimises Dice loss
# (one minus the Dice score) plus focal loss (cross-entropy in which cells that are clear already
# count little), so its numbers are others.

# %%
click = Prompt(points=(regions.interior_point(example),))
logits = embedded.ask(embedded.tiles[0], click).logits
truth = example.reshape(64, 2, 64, 2).mean(axis=(1, 3))
weights = mask_weights(1 / (1 + np.exp(-logits)).reshape(3, -1), truth.ravel())
reference = oneshot.embed_example(embedded, example)
descent = oneshot.fit_weights(embedded, example, reference)
for name, each in (("least squares", weights), ("descent", descent)):
    mixed = np.einsum("m,mrc->rc", each, logits) > 0
    fits = metrics.iou(mixed, truth >= 0.5)
    print(f"{name:13}: {np.round(each, 1) + 0.0}, IoU of the mixture {fits:.2f}")
single = [metrics.iou(each > 0, truth >= 0.5) for each in logits]
print("the three masks alone:", ", ".join(f"{each:.2f}" for each in single))

# %% [markdown]
# Neither mixture beats the best of the three masks on this example. The descent hardly uses the
# other two (0.8 for the third), and least squares spreads its weights, since it wants every cell
# nearly right where IoU asks for the right side of one half. One example is one example: over all
# pairs PerSAM-F is level with
# one click, 0.51 to 0.51. What it can do is choose: "small, middle or large?" is a question that
# one example answers.

# %% [markdown]
# ## One example against a click for each
#
# Now the question of the title. For each of 24 examples in each of five groups of test worlds: show
# it, look for its class in *another* tile (pixels that differ by a factor of 2.5 at most), and
# compare with the patience of a user who clicks in the middle of **every** object. The kit's own
# recipe goes on from PerSAM's first click: it clicks again in the *middle* of what came out, and,
# if several examples are given, averages their targets. **Predict:** where does one-shot land,
# between a click on every object (which knows where they are) and nothing?

# %%
names = {
    "click": "1 example, one click",
    "1 example: middle": "... and twice in the middle",
    "3 looks: middle": "... in three band combinations",
    "8 examples: middle": "8 examples, the same",
    "8 examples: surest of four": "... the surest of four places",
    "one click per object": "a click on every object",
    "best of these": "... the best object of each tile",
}
for name, label in names.items():
    over = interval([run[name] for run in runs])
    print(f"{label:32}: IoU {over.mean:.2f} [{over.low:.2f}, {over.high:.2f}]")
gap = paired_interval(
    [run["8 examples: surest of four"] for run in runs],
    [run["one click per object"] for run in runs],
)
print(
    f"best recipe less a click on every object: {gap.mean:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}]"
)
for after, before in pairwise(reversed(list(names)[:5])):
    step = paired_interval([run[after] for run in runs], [run[before] for run in runs])
    print(f"{names[after]:32}: a step of {step.mean:+.2f} [{step.low:+.2f}, {step.high:+.2f}]")

# %% [markdown]
# One example, used as PerSAM's first click, is 0.2 short of a click on every object. Clicking again
# in the middle and eight examples instead of one bring part of that back. More bands and a choice
# among four places have *not* been shown to: see the steps below the table. The best recipe was
# picked on these very worlds, so it flatters itself. It is 0.05 below; the interval just includes
# 0, so five groups of worlds don't tell it from a click on every object. **It has not been shown to
# be as good**, either. And mind the yardstick: one-shot may choose *which* object it outlines, a
# user who clicks on all may not. The best of the user's objects has 0.81, and that is out of reach.
#
# Where are the points lost? Look at the place of the click, and at all objects instead of one.

# %%
for way, label in (
    ("1 example", "1 example"),
    ("3 looks", "3 looks"),
    ("8 examples", "8 examples"),
):
    right = interval([100 * run[f"{way}: right place"] for run in runs])
    objects_ = interval([run[f"{way}: all objects"] for run in runs])
    pure = interval([100 * run[f"{way}: of the class"] for run in runs])
    print(
        f"{label:10}: right place {right.mean:.0f} % [{right.low:.0f}, {right.high:.0f}],", end=" "
    )
    print(f"all objects {objects_.mean:.2f}, of the class {pure.mean:.0f} %")

# %% [markdown]
# One click in four is on another class, and no outline mends that. Eight examples bring the right
# place from 73 to 88 %. But *all* objects stay at 0.47 to 0.48, whatever is shown: in a row of
# pastures, a click on the most similar place finds some, then an outline that swallowed two ends
# the search there. Of what comes out, 57 % of the pixels are of the class with one example, 74 %
# with eight.

# %% [markdown]
# ## Which example to show?
#
# An example is a choice. **Predict** for each: a large one or a small one? One whose pixels are as
# large as those of the image to be searched? A typical one (whose target is close to the mean of
# others of its class) or an odd one?

# %%
axes = plot.panels(1, 3, title="Right place, %, 95 %", size_in=(2.9, 3.1))
questions = {
    "size": "example (px), from",
    "ratio": "pixel there / pixel of example, from",
    "typical": "cosine to its class, from",
}
for ax, (name, label) in zip(axes, questions.items(), strict=True):
    edges = sorted({edge for run in stored["runs"] for edge in run[name]}, key=float)
    each = []
    for edge in edges:
        values = [100 * run[name][edge]["right"] for run in stored["runs"] if edge in run[name]]
        each.append(interval(values))
    ax.errorbar(
        range(len(edges)),
        [one.mean for one in each],
        yerr=[[one.mean - one.low for one in each], [one.high - one.mean for one in each]],
        fmt="o",
        capsize=3,
    )
    ax.set_xticks(range(len(edges)), edges)
    ax.set(xlabel=label, ylim=(0, 105))
plot.show("share of examples whose most similar place in another tile is of their class.")

# %% [markdown]
# Show a **large** one: 61 % right below 128 pixels, 93 % from 512. Show a **typical** one: 64 %
# where the cosine to its class is below 0.85, 90 % from 0.93. The size of a pixel matters less than
# one might think, within a factor of 2.5; beyond, it is 66 %. (Large examples tend to be typical
# too: more cells, less noise. The figure doesn't part the two.)

# %% [markdown]
# ## Is it there at all?
#
# Whatever is shown, *some* place is the most similar one. On a tile of pure forest PerSAM outlines
# forest, and calls it pasture. To be able to say "not here", the peak of the map has to exceed a
# threshold. Where to put it? It is a trade-off: of the tiles that **have** the class, we want to
# keep nine in ten.
#
# ### Exercise: is it there at all?
#
# Difficulty 2 of 3 · 6 minutes · 3 points
#
# **Goal:** a threshold that keeps its promise.


# %% rsedu={"id": "present_threshold"}
def present_threshold(peaks, kept):
    """The largest threshold that enough cases reach.

    Args:
        peaks: (cases,) float, the largest likeness in each image that does have the class.
        kept: share of them that is to stay, above 0 and to 1.

    Returns:
        float: the largest one of the peaks that a share of `kept` or more of them reaches.
    """
    ### BEGIN SOLUTION
    wanted = int(np.ceil(round(kept * len(peaks), 9)))
    return float(np.sort(peaks)[::-1][wanted - 1])
    ### END SOLUTION


rsedu.check("present_threshold", present_threshold)
present_threshold = rsedu.checkpoint("present_threshold", present_threshold)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# How many have to stay? <code>np.ceil(kept * len(peaks))</code>. Sort from the largest and count.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>np.sort(peaks)[::-1][wanted - 1]</code>: the peak that is the last one to stay.
# </details>

# %% [markdown]
# For four classes: take the object of median size as the example, and look for its class in the
# other 35 tiles. The threshold comes from **another** world (seed 2000). **Predict:** which class
# will be seen where there is none?


# %%
def peaks_of(seed, names):
    """Class -> peaks in the tiles that have it, and in those that do not."""
    world = Frontier(seed=seed, size_m=7680.0)
    scene, truth = world.optical(date=2020.0, gsd_m=10.0), world.truth(date=2020.0, gsd_m=10.0)
    corners = [(row, col) for row in range(0, 768, 128) for col in range(0, 768, 128)]
    cuts = [(slice(row, row + 128), slice(col, col + 128)) for row, col in corners]
    seen = [model.embed(scene.crop(rows=r, cols=c), bands=infrared) for r, c in cuts]
    found = {}
    for name in names:
        masks = [truth.classes[cut] == CLASSES.index(name) for cut in cuts]
        parts = [(at, part) for at, mask in enumerate(masks) for part in regions.components(mask)]
        parts = sorted((p for p in parts if 150 <= p[1].sum() < 4000), key=lambda p: p[1].sum())
        home, part = parts[len(parts) // 2]
        target = oneshot.embed_example(seen[home], part).target
        peaks = {at: oneshot.similarity(seen[at], target).max() for at in range(36) if at != home}
        there = [peak for at, peak in peaks.items() if masks[at].sum() >= 64]
        gone = [peak for at, peak in peaks.items() if not masks[at].any()]
        found[name] = np.array(there), np.array(gone)
    return found


names = ("pasture", "crop", "water", "regrowth")
tuning = peaks_of(2000, names)
least = present_threshold(np.concatenate([there for there, _ in tuning.values()]), 0.9)
print(f"threshold: {least:.2f}")

# %%
tested = peaks_of(3000, names)
(ax,) = plot.panels(1, 1, title="Peaks of likeness, tile by tile", size_in=(5.4, 3.2))
for row, (name, (there, gone)) in enumerate(tested.items()):
    ax.plot(there, np.full(len(there), row + 0.12), "o", color=plot.COLOURS[0], alpha=0.6)
    ax.plot(gone, np.full(len(gone), row - 0.12), "x", color=plot.COLOURS[1])
    print(f"{name:8}: {100 * np.mean(there >= least):3.0f} % of {len(there):2} kept,", end=" ")
    print(f"{100 * np.mean(gone < least):3.0f} % of {len(gone):2} rejected")
ax.axvline(least, color="0.5", linestyle="--")
ax.set_yticks(range(len(names)), names)
ax.set(xlabel="largest cosine in the tile")
plot.show("dots: tiles with the class; crosses: tiles without; dashed: the threshold.")

# %% [markdown]
# Tiles with pasture, crop or water are told from tiles without in this world, with a threshold that
# was set in another. **Regrowth** is the exception: it is seen in seven of nine tiles that have
# none. Regrowth is on its way to be forest, so forest resembles it, and forest is everywhere.
#
# Four examples in one world are an anecdote. For all classes, over the five groups of test worlds,
# with thresholds from validation worlds that keep nine in ten there:

# %%
for way in ("1 example", "3 looks", "3 examples", "8 examples"):
    kept, rejected = (
        interval([100 * run["absent"][way][what] for run in stored["runs"]])
        for what in ("kept", "rejected")
    )
    label = way.replace("looks", "band triples")
    print(f"{label:14}: kept {kept.mean:.0f} % [{kept.low:.0f}, {kept.high:.0f}],", end=" ")
    print(f"rejected {rejected.mean:.0f} % [{rejected.low:.0f}, {rejected.high:.0f}]")

# %% [markdown]
# With one example, four absent classes in ten are still "found". Three band combinations and eight
# examples bring the rejected share from 58 to 87 %. And the promise? 84 to 87 % are kept where 90
# were promised, and all four intervals hold 90: five groups of worlds cannot say whether it is
# broken. "Nine in ten kept, nine in ten rejected" is what we wanted; the rejected share of one
# example is far from it.

# %% [markdown]
# ## Break it: colour alone, and a real place
#
# Do we need the embedding? A pasture has a colour. Take the mean colour of the example instead of
# its target, and the distance instead of the cosine. **Predict:** how much worse in the same tile?
# And in another one, taken on another day?

# %%
for where in ("same tile", "other tile"):
    for what in ("colours", "features"):
        name = f"{where}, {what}"
        right = interval([100 * run["colours"][name] for run in stored["runs"]])
        print(f"{name:20}: right place {right.mean:.0f} % [{right.low:.0f}, {right.high:.0f}]")

# %% [markdown]
# In the same tile colours are nine points behind; in another they fall to 41 %, and the features
# hold 74. Each tile is stretched by its own percentiles, so that one pasture has other colours
# among forest than among fields. The features saw the very same stretched colours: the encoder has
# learnt to look past that.
#
# And a real place? Ten clearings of the real scene, each in turn as the example; the most similar
# place outside it is to be bare ground too. **Predict:** will the features win here as well?

# %%
scene = samples.clearing().crop(rows=slice(0, 296), cols=slice(0, 296))
real, shown = model.embed(scene, bands=infrared), rgb.rgb(scene, bands=infrared)
bare = np.any(baselines.patches(scene), axis=0)
hits = {"features": 0, "colours": 0}
(ax,) = plot.panels(1, 1, title="One clearing shown: where next?", size_in=(3.6, 3.8))
plot.false_colour(scene, title="10 examples, 10 places", ax=ax)
for patch in baselines.patches(scene, most_ha=225):
    likeness = oneshot.similarity_map(real, oneshot.embed_example(real, patch).target)
    col, row = map(int, lab.top(likeness, ~lab.around(patch)))
    hits["features"] += bare[row, col]
    ax.contour(patch, levels=[0.5], colors="white", linewidths=1)
    ax.plot(col, row, "o" if bare[row, col] else "x", color=plot.COLOURS[1], markersize=7)
    colours = lab.colour_likeness(shown, patch, shown)
    col, row = map(int, lab.top(colours, ~lab.around(patch)))
    hits["colours"] += bare[row, col]
print(f"right of 10: features {hits['features']}, colours {hits['colours']}")
plot.show(f"o on bare ground, x not; {100 * bare.mean():.0f} % of the scene is bare.")

# %% [markdown]
# Seven of ten for the features, eight for the bare colours. But more than half of this scene *is*
# bare: a blind click would be right five or six times. And it is one scene on one day, the case
# "same tile", where colours did well before. Ten examples of one place can't decide between the
# two. What would? Two dates, two places, a class that is rare.

# %% [markdown]
# ## What we saw, and what it does not show
#
# - One vector, the mean of a few cells, finds its like in other tiles: the right place in 73 % with
#   one example, 88 % with eight.
# - PerSAM's guided attention harms this model; its plain first click is the better half.
# - A mixture of three masks is a choice of scale, and brings nothing more here.
# - The best recipe is 0.05 of IoU below a click on every object; not told apart, not shown equal.
# - Show large and typical examples, and several of them.
# - Absent classes: 87 % rejected at 84 % kept with eight examples; 58 % rejected with one.

# %% [markdown]
# What it does **not** show: how PerSAM does with the published SAM. Its features come from eleven
# million photographs and 64 x 64 cells, ours from made-up worlds and 16 x 16. Nor does it show real
# scenes of several dates. And a threshold holds for the model, the bands and the worlds it was set
# on.

# %% [markdown]
# **References.** R. Zhang et al., Personalize Segment Anything Model with One Shot, ICLR 2024,
# arXiv 2305.03048 (target and map of likeness, guided attention, PerSAM-F). A. Kirillov et al.,
# Segment Anything, ICCV 2023, arXiv 2304.02643. The numbers above: `python
# experiments/07_oneshot.py`, five groups of three test worlds, 24 examples each; intervals
# are 95 % over the groups.
#
# **Next:** lesson 08 is yours: how much forest was lost, and when?

# %%
rsedu.progress("07")
