# %% [markdown]
# # What can be learnt from pixels without labels?
#
# After this notebook you will be able to
#
# - cut an image into patches, hide most of them and put them back, **by hand**, and say what
#   hiding saves;
# - train a masked autoencoder in about a minute, and judge it against paint that has learnt
#   **nothing**;
# - say what its features are good for, and what goes wrong when the same place comes with **another
#   pixel size**.
#
# **60 minutes.** Needs lesson 01. Nothing is downloaded; the longest cell takes about a minute.

# %% tags=["nbval-ignore-output"]
import numpy as np
import torch

import rsedu
from rsedu import blocks, plot
from rsedu.course import results
from rsedu.evaluation.intervals import interval, paired_interval
from rsedu.io.progress_bar import progress_bar
from rsedu.lessons.masked_autoencoders import lab
from rsedu.models import MAE, MAEConfig, weights
from rsedu.pretraining import tile_sources
from rsedu.scenes import bands, samples
from rsedu.training import loop, sampler, settings

rsedu.setup("02")

# %% [markdown]
# ## A picture that sets its own questions
#
# Sentinel-2 delivers terabytes a day; a label needs somebody who walks there or squints at a
# screen. A **masked autoencoder** (He et al., 2022) needs no label. It hides parts of an image from
# itself and learns to paint them. Whoever paints well must have noticed that rivers go on, that
# pasture ends in straight lines, and which colours go together.
#
# Four steps: **cut** into patches, **hide** most, **encode** the visible ones, **decode** all.
# You write the first two, and the way back.
#
# The place: the **real** scene of forest with clearings from lesson 01. We take 64 x 64 pixels of
# it, 640 m by 640 m, at the forest's edge. **Predict:** if you saw one quarter of it, in small
# squares, could you paint the rest?

# %%
scene = samples.clearing()
edge = scene.crop(rows=slice(128, 192), cols=slice(192, 256))
axes = plot.panels(1, 2, title="A real forest, and 640 m of its edge", size_in=(3.4, 3.4))
plot.false_colour(scene, title="3 km", ax=axes[0])
plot.false_colour(edge, title="640 m", like=scene, ax=axes[1])
colours = plot.stretch(
    edge.select("B08", "B04", "B03").array, like=scene.select("B08", "B04", "B03").array
)
plot.show(f"forest (red) ends at cleared ground (grey, green): {edge.shape[0]} pixels across.")

# %% [markdown]
# A transformer reads a row of **tokens**, not a grid of pixels. So the image, (bands, height,
# width), becomes a table with one row per patch:
#
# $$N = \frac{H}{P} \cdot \frac{W}{P} \text{ patches of } P \cdot P \cdot C \text{ values}$$
#
# with patch side $P$ in pixels and $C$ bands. The order is agreed once: patches row by row; inside
# a patch the pixels row by row; all bands of a pixel side by side.
#
# ### Exercise: patchify
#
# Difficulty 2 of 3 · 7 minutes · 3 points
#
# **Goal:** cut an image into flat patches; height and width are whole patches, not always equal.


# %% rsedu={"id": "patchify"}
def patchify(image, size):
    """Cut an image into flat patches.

    Args:
        image: (bands, height, width) float, any unit.
        size: side of a patch in pixels; divides height and width.

    Returns:
        (patches, size * size * bands) float.
    """
    ### BEGIN SOLUTION
    bands, height, width = image.shape
    cut = image.reshape(bands, height // size, size, width // size, size)
    return cut.transpose(1, 3, 2, 4, 0).reshape(-1, size * size * bands)
    ### END SOLUTION


rsedu.check("patchify", patchify)
patchify = rsedu.checkpoint("patchify", patchify)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Cut each side where it stands: <code>reshape(bands, rows, y, cols, x)</code>. No number has moved
# yet.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# Now say the order aloud: rows, cols, y, x, bands. That is a <code>transpose</code>; flatten
# after it.
# </details>

# %% [markdown]
# To see patches, we draw a table of them as a mosaic with gaps. This helper takes any (64, 192)
# table: 8 x 8 patches of 8 x 8 pixels in three colours.


# %%
def mosaic(table, title, ax):
    """Draw 64 patches of 8 x 8 pixels in three colours, with gaps between them."""
    grid = table.reshape(8, 8, 8, 8, 3)
    framed = np.pad(grid, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)), constant_values=1.0)
    ax.imshow(framed.transpose(0, 2, 1, 3, 4).reshape(80, 80, 3), interpolation="nearest")
    ax.set_title(title, fontsize="medium")
    ax.axis("off")


patches = patchify(colours, 8)
[ax] = plot.panels(1, 1, title="One image, 64 tokens", size_in=(3.6, 3.8))
mosaic(patches, "patches of 8 pixels, 80 m", ax)
plot.show(f"a table of {patches.shape[0]} patches with {patches.shape[1]} values each.")

# %% [markdown]
# ## Hide three quarters
#
# Which patches stay? Draw one uniform random number per patch, sort, and keep those with the
# **least**. Every choice is equally likely, and each image keeps the same number, so that images
# still stack in a batch.
#
# Sorting shuffles the patches, and somebody must remember the way back:
#
# - `ids_keep`: positions of the kept patches, in shuffled order;
# - `ids_restore`: for each *position* its *place* in the shuffled order.
#
# ### Exercise: random mask
#
# Difficulty 2 of 3 · 7 minutes · 3 points
#
# **Goal:** from the noise, what stays and the way back. Of N patches N x (1 - mask_ratio) stay;
# our numbers are such that this is whole (round it, since 8 x (1 - 0.9) is not quite).


# %% rsedu={"id": "random_mask"}
def random_mask(noise, mask_ratio):
    """Choose the patches that stay.

    Args:
        noise: (patches,) float, one random number per patch.
        mask_ratio: share of patches to hide, 0 to 1.

    Returns:
        ids_keep: (kept,) int, positions in shuffled order: least noise first.
        ids_restore: (patches,) int, place of each position in the shuffled order.
    """
    ### BEGIN SOLUTION
    kept = round(len(noise) * (1 - mask_ratio))
    shuffled = noise.argsort()
    return shuffled[:kept], shuffled.argsort()
    ### END SOLUTION


rsedu.check("random_mask", random_mask)
random_mask = rsedu.checkpoint("random_mask", random_mask)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# <code>noise.argsort()</code> answers: which position stands at place 0, 1, 2 ...?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# The opposite question, "at which place stands position 0, 1, 2 ...?", is answered by sorting the
# answer: <code>argsort</code> once more.
# </details>

# %% [markdown]
# The encoder sees the kept patches only. The decoder needs one token at *every* place: the encoded
# ones where something was visible, and one and the same **mask token**, which is learnt, where not.
#
# ### Exercise: put them back
#
# Difficulty 2 of 3 · 5 minutes · 3 points
#
# **Goal:** visible tokens to their places, the mask token to all others.


# %% rsedu={"id": "put_back"}
def put_back(visible, ids_restore, mask_token):
    """Bring tokens back to the order of the grid.

    Args:
        visible: (kept, dim) float, tokens in shuffled order.
        ids_restore: (patches,) int, place of each position in the shuffled order.
        mask_token: (dim,) float, stands for what was hidden.

    Returns:
        (patches, dim) float, in the order of the grid.
    """
    ### BEGIN SOLUTION
    missing = len(ids_restore) - len(visible)
    shuffled = np.concatenate([visible, np.tile(mask_token, (missing, 1))])
    return shuffled[ids_restore]
    ### END SOLUTION


rsedu.check("put_back", put_back)
put_back = rsedu.checkpoint("put_back", put_back)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# First make the whole shuffled row: what is visible, then as many mask tokens as are missing.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>ids_restore</code> is to be read with: <code>shuffled[ids_restore]</code>.
# </details>

# %% [markdown]
# **Predict:** at which share of hidden patches can you no longer say where the forest ends? Our
# mask token here is plain grey.

# %%
noise = np.random.default_rng(2).random(64)
grey = np.full(patches.shape[1], 0.5)
axes = plot.panels(1, 4, title="The same noise, more and more hidden", size_in=(2.5, 2.8))
for ax, ratio in zip(axes, (0.25, 0.5, 0.75, 0.9375), strict=True):
    ids_keep, ids_restore = random_mask(noise, ratio)
    seen = put_back(patches[ids_keep], ids_restore, grey)
    mosaic(seen, f"{ratio:.0%} hidden, {len(ids_keep)} left", ax)
plot.show("at 75 % the edge of the forest can still be guessed; with 4 patches of 64 it cannot.")

# %% [markdown]
# Natural images repeat themselves: neighbours tell so much that a quarter is plenty. Hide little,
# and painting is only copying from next door. Hide much, and one must know *what kind of place*
# this is.
#
# Hiding also saves work. In attention every token looks at every token, $N^2$ pairs, and the
# encoder sees only what is visible.
#
# ### Exercise: what hiding saves
#
# Difficulty 1 of 3 · 4 minutes · 2 points
#
# **Goal:** number of visible tokens in a square image, and the share of token pairs that is left.


# %% rsedu={"id": "attention_pairs"}
def attention_pairs(side_px, patch_px, mask_ratio):
    """What the encoder's attention costs.

    Args:
        side_px: side of the image in pixels.
        patch_px: side of a patch in pixels.
        mask_ratio: share of patches that is hidden, 0 to 1.

    Returns:
        visible: number of visible tokens (without the class token).
        share: their pairs, as a share of the pairs without hiding, 0 to 1.
    """
    ### BEGIN SOLUTION
    tokens = (side_px // patch_px) ** 2
    visible = round(tokens * (1 - mask_ratio))
    return visible, visible**2 / tokens**2
    ### END SOLUTION


rsedu.check("attention_pairs", attention_pairs)
attention_pairs = rsedu.checkpoint("attention_pairs", attention_pairs)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# How many patches stand in a row, and how many rows are there?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# If a quarter of the tokens is left, each of them looks at a quarter: a quarter of a quarter.
# </details>

# %% [markdown]
# **Predict:** the paper hides 75 % of a 224-pixel image in patches of 16. How much of the
# attention is left?

# %%
for ratio in (0.0, 0.5, 0.75, 0.9375):
    visible, share = attention_pairs(224, 16, ratio)
    print(f"{ratio:6.2%} hidden: {visible:3} tokens, {share:6.2%} of the pairs")

# %% [markdown]
# One sixteenth. That is why a masked autoencoder may have a large encoder: it hardly ever runs in
# full. (The decoder sees all tokens and is kept small.)

# %% [markdown]
# ## What counts, and who could do it without learning
#
# Only hidden patches count: the visible ones were given, and copying is no skill.
#
# $$L = \frac{1}{|\text{hidden}|} \sum_{i \in \text{hidden}}
# \frac{1}{V} \sum_{v=1}^{V} (\hat{x}_{iv} - x_{iv})^2$$
#
# with $V$ values in a patch. Pixels are **standardised**: each band has its mean subtracted and is
# divided by its deviation, so that no band shouts.
#
# ### Exercise: the masked loss
#
# Difficulty 1 of 3 · 4 minutes · 2 points
#
# **Goal:** one number for one image.


# %% rsedu={"id": "masked_loss"}
def masked_loss(prediction, target, mask):
    """Mean squared error of the hidden patches.

    Args:
        prediction: (patches, values) float, standardised.
        target: (patches, values) float, standardised.
        mask: (patches,) float, 1 where a patch was hidden, 0 where it was seen.

    Returns:
        One number, >= 0.
    """
    ### BEGIN SOLUTION
    per_patch = ((prediction - target) ** 2).mean(axis=1)
    return (per_patch * mask).sum() / mask.sum()
    ### END SOLUTION


rsedu.check("masked_loss", masked_loss)
masked_loss = rsedu.checkpoint("masked_loss", masked_loss)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# First one number per patch, then a mean that only hidden patches enter.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# A mean weighted by the mask: sum of loss x mask, divided by the sum of the mask.
# </details>

# %% [markdown]
# A loss alone says nothing. Three painters who never learnt anything set the bar: the **mean** of
# all visible pixels, the **nearest** visible pixel, and straight **linear** interpolation between
# visible pixels, all band by band. **Predict:** who wins on this tile?

# %%
tile = lab.cut(edge, 64)[0].numpy()
ids_keep, _ = random_mask(noise, 0.75)
mask = np.ones(64)
mask[ids_keep] = 0
hidden = mask.reshape(8, 8).repeat(8, axis=0).repeat(8, axis=1) > 0
painted = {way: lab.inpaint(tile, hidden, way) for way in ("mean", "nearest", "linear")}
for way, paint in painted.items():
    print(f"{way:8} {masked_loss(patchify(paint, 8), patchify(tile, 8), mask):.3f}")

# %% [markdown]
# Now look at what these numbers look like. This helper draws one tile in false colour, in the
# contrast of the true one.


# %%
def draw(values, like, title, ax, pick=(3, 2, 1)):
    """Draw B08, B04, B03 of a (bands, rows, cols) tile in the contrast of another."""
    three, judged = values[list(pick)], like[list(pick)]
    shown = np.where(np.isnan(three), 0.5, plot.stretch(three, like=judged))
    ax.imshow(np.moveaxis(shown, 0, -1))
    ax.set_title(title, fontsize="medium")
    ax.axis("off")


axes = plot.panels(1, 5, title="Painting without learning (75 % hidden)", size_in=(2.1, 2.5))
draw(tile, tile, "truth", axes[0])
draw(np.where(hidden, np.nan, tile), tile, "what is visible", axes[1])
for ax, (way, paint) in zip(axes[2:], painted.items(), strict=True):
    draw(paint, tile, way, ax)
plot.show("the mean paints fog, the nearest pixel paints tiles, interpolation paints smears.")

# %% [markdown]
# Interpolation knows one thing, that neighbours are alike, and gets far with it. **This is the bar
# for everything that follows:** a model that cannot beat linear interpolation has, as a painter,
# learnt nothing worth its electricity.

# %% [markdown]
# ## One minute of learning
#
# To train we need many tiles. The kit's synthetic frontier (lesson 01) gives them: four worlds of
# 10 km, cut into 256 tiles of 640 m each. **Everything it learns from here is synthetic**; the
# real forest's edge above is kept for the exam.

# %%
worlds = progress_bar(range(1000, 1004), desc="worlds")
images = torch.cat([lab.tiles(world).images for world in worlds])
axes = plot.panels(1, 6, title="Six of the training tiles", size_in=(1.7, 1.9))
contrast = images[::8].numpy().swapaxes(0, 1).reshape(4, -1, 64)
for ax, number in zip(axes, (20, 300, 420, 610, 777, 900), strict=True):
    draw(images[number].numpy(), contrast, f"tile {number}", ax)
plot.show(f"{len(images)} tiles of {images.shape[2]} pixels in {images.shape[1]} bands.")

# %% [markdown]
# The model: a vision transformer of 4 blocks, 96 wide, as encoder; one block, 64 wide, as decoder.
# The kit's `MAE` is your four functions in torch, with attention between them. First ask how long
# it will take *here*.

# %% tags=["nbval-ignore-output"]
torch.manual_seed(0)
config = MAEConfig(channels=4, decoder_depth=1, norm_pix_loss=False, mask_ratio=0.75)
model = MAE(config)
source = tile_sources.RandomSymmetry(sampler.TensorSource({"images": images}))
plan = settings.TrainConfig(steps=400, batch_size=32, blr=16e-3, warmup_steps=50)
seconds = plan.steps * loop.time_per_step(model, source, plan, device="cpu")
print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
print(f"{plan.steps} steps will take about {seconds:.0f} seconds on this machine")

# %% [markdown]
# **Predict:** what will it learn first, colours or shapes? We keep what it paints on *one* unseen
# synthetic tile after the first step and after 20, 100 and 400.

# %%
exam = lab.tiles(3000)
sight = exam.images[[exam.edges.argmax()]]
album = []


def look(step, losses):
    """Keep a painting of the unseen tile after some steps."""
    if step + 1 in (1, 20, 100, 400):
        made = model.reconstruct(sight, generator=torch.Generator().manual_seed(4))
        album.append((step + 1, made))


history = loop.train(model, source, plan, device="cpu", progress=True, on_step=look)
model.eval()
half = history.losses[-50:].mean() < 0.5 * history.losses[:10].mean()
print(f"{len(history.steps)} steps; the loss fell to less than half: {half}")

# %% [markdown]
# Look at the album first, then at the curve.

# %%
axes = plot.panels(1, 6, title="One minute of learning, on a tile it never saw", size_in=(1.9, 2.2))
truth, cover = sight[0].numpy(), album[0][1].mask[0].numpy()
draw(truth, truth, "truth", axes[0])
draw(np.where(cover > 0, np.nan, truth), truth, "what is visible", axes[1])
for ax, (step, made) in zip(axes[2:], album, strict=True):
    draw(made.image[0].numpy(), truth, f"step {step}", ax)
plot.show("first noise, then one colour for all, at last large shapes; no fine detail.")

# %% [markdown]
# How good is this? We hide 75 % of 64 unseen synthetic tiles and of the 16 tiles of the *real*
# scene, and let all painters paint the same holes. The errors of all are divided by that of linear
# interpolation.


# %%
def contest(images):
    """Error of the model and of three painters, on the same hidden pixels."""
    made = model.reconstruct(images, generator=torch.Generator().manual_seed(0))
    paints = {
        way: lab.inpaint_batch(images, made.mask, way) for way in ("mean", "nearest", "linear")
    }
    paints["model"] = made.prediction
    return {way: lab.hidden_error(each, images, made.mask) for way, each in paints.items()}


tests = {"synthetic": contest(exam.images[::4]), "real": contest(lab.cut(scene, 64))}
for name, errors in tests.items():
    wins = [way for way in errors if errors["model"] < errors[way]]
    print(f"{name:9}  the model is better than: {', '.join(wins) or 'none'}")

# %% [markdown]
# **Predict** the heights of the bars before you look at them: the names above tell the order, not
# the distances.

# %%
left, right = plot.panels(1, 2, title="Who paints best? (75 % hidden)", size_in=(4, 3))
smooth = np.convolve(history.losses, np.ones(20) / 20, mode="valid")
left.plot(np.arange(20, 401), smooth, color=plot.COLOURS[0], label="model, training tiles")
for colour, way in zip(plot.COLOURS[1:], ("mean", "nearest", "linear"), strict=False):
    left.axhline(tests["synthetic"][way], ls="--", color=colour, label=f"{way}, unseen tiles")
left.set(xlabel="step", ylabel="masked loss", title="learning (synthetic)", ylim=(0, 0.5))
left.legend(fontsize="small")
for shift, (name, errors) in enumerate(tests.items()):
    relative = [errors[way] / errors["linear"] for way in errors]
    right.bar(np.arange(4) + 0.4 * shift, relative, 0.4, label=name, color=plot.COLOURS[shift])
right.axhline(1, color="0.5")
right.set_xticks(np.arange(4) + 0.2, list(errors))
right.set(ylabel="error / that of linear", title="unseen tiles")
right.legend()
behind = all(errors["model"] > errors["linear"] for errors in tests.values())
plot.show(f"linear interpolation is {'ahead of' if behind else 'not ahead of'} the model on both.")

# %% [markdown]
# Soberly: after a minute the model paints better than fog, and about as well as the nearest pixel.
# It has not reached linear interpolation. On the real scene, of a kind it never saw, it is further
# behind. **A falling loss is no proof of skill; only the dashed lines are.** What changes with
# more steps?

# %% [markdown]
# ## A model that has learnt for longer
#
# The kit ships a masked autoencoder that trained for much longer, on all 12 bands and at pixels of
# 5 to 120 m. As in the paper's released code, its target is each patch **on its own scale**: mean 0
# and variance 1 over all values of the patch. Then contrast counts as much in a dark forest as in
# a bright field.
#
# ### Exercise: each patch on its own scale
#
# Difficulty 1 of 3 · 4 minutes · 2 points
#
# **Goal:** shift and scale each patch; the variance is that of a sample (divide by V - 1), and 1e-6
# is added to it, so that flat water does not divide by zero.


# %% rsedu={"id": "per_patch_norm"}
def per_patch_norm(patches):
    """Bring each patch to mean 0 and variance 1.

    Args:
        patches: (patches, values) float.

    Returns:
        (patches, values) float: (x - mean) / sqrt(variance + 1e-6), patch by patch.
    """
    ### BEGIN SOLUTION
    mean = patches.mean(axis=1, keepdims=True)
    variance = patches.var(axis=1, ddof=1, keepdims=True)
    return (patches - mean) / np.sqrt(variance + 1e-6)
    ### END SOLUTION


rsedu.check("per_patch_norm", per_patch_norm)
per_patch_norm = rsedu.checkpoint("per_patch_norm", per_patch_norm)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# A patch is a row: along which axis do you average?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>keepdims=True</code> keeps the result a column, so that it can be subtracted.
# </details>

# %% [markdown]
# This has a price. The model never learns a patch's brightness, so it cannot paint it: for a
# picture, mean and deviation of each hidden patch are **lent from the truth**. Many a published
# reconstruction looks brilliant for this reason. To be fair, we lend the same to interpolation.

# %%
shipped = weights.load("mae-tiny")
card = weights.read_card("mae-tiny")
print(f"{card.name}: {card.parameters:,} parameters, {card.steps:,} steps of 64 tiles")

# %% [markdown]
# The exam: the five **real** Sentinel-2 patches of lesson 01 that have no snow, in 20 crops of 640
# m. European fields; the model has seen none, nor any other real pixel.


# %%
def lend(paint, truth):
    """Give each patch of a painting the mean and deviation of the true patch."""
    own = patchify(truth, 8)
    shapes = per_patch_norm(patchify(paint, 8))
    lent = shapes * own.std(axis=1, ddof=1, keepdims=True) + own.mean(axis=1, keepdims=True)
    return blocks.unpatchify(torch.from_numpy(lent)[None], 8, 8)[0].numpy()


pairs = [pair.optical for pair in samples.pairs() if not pair.snow]
starts = [(row, col) for row in (0, 56) for col in (0, 56)]
crops = [
    each.crop(rows=slice(r, r + 64), cols=slice(c, c + 64)) for each in pairs for r, c in starts
]
fields = torch.cat([lab.cut(crop, 64, bands=bands.S2_BANDS) for crop in crops])
print(f"{len(fields)} real crops of {fields.shape[1]} bands")

# %% [markdown]
# **Predict:** four paintings of two places. Which looks best to you: interpolation as it is,
# interpolation with the loan, the model with the loan?

# %%
made = shipped.reconstruct(fields, generator=torch.Generator().manual_seed(1))
linear = lab.inpaint_batch(fields, made.mask, "linear")
axes = plot.panels(2, 5, title="Two real places, 75 % hidden", size_in=(2.1, 2.3))
for row, number in enumerate((4, 0)):
    truth, hole = fields[number].numpy(), made.mask[number].numpy() > 0
    columns = {
        "truth": truth,
        "what is visible": np.where(hole, np.nan, truth),
        "linear": linear[number].numpy(),
        "linear, lent": np.where(hole, lend(linear[number].numpy(), truth), truth),
        "model, lent": made.image[number].numpy(),
    }
    for ax, (title, values) in zip(axes[5 * row :], columns.items(), strict=False):
        draw(values, truth, title, ax, pick=(7, 3, 2))
plot.show("with the loan, interpolation looks sharp too: much of the detail is the truth's own.")

# %% [markdown]
# Eyes are generous, so let us count. On the patch's own scale a flat patch has a loss of 1. A guess
# of full contrast pays double where it is wrong, and the model has learnt to hedge; so
# interpolation may **hedge** as well, by the best single factor there is.


# %%
def on_own_scale(images):
    """All patches of a batch, each on its own scale."""
    return np.concatenate([per_patch_norm(patchify(image, 8)) for image in images.numpy()])


flat_share = np.square(on_own_scale(fields)).mean()
print(f"a flat patch has a loss of {flat_share:.2f}")

# %% [markdown]
# **Predict** the order of flat, linear, hedged linear and the model: on synthetic tiles of a world
# it never saw, and on the real crops.


# %%
@torch.no_grad()
def scores(images):
    """Loss of hidden patches, each on its own scale."""
    out = shipped(images, generator=torch.Generator().manual_seed(0))
    holes = blocks.mask_to_pixels(out["mask"], 8, 8)
    truth = on_own_scale(images)
    linear = on_own_scale(lab.inpaint_batch(images, holes, "linear"))
    mask = out["mask"].numpy().ravel()
    factor = (linear * truth)[mask > 0].sum() / np.square(linear[mask > 0]).sum()
    guesses = {"flat": 0 * truth, "linear": linear, "linear, hedged": factor * linear}
    guesses["model"] = out["prediction"].flatten(0, 1).numpy()
    return {name: masked_loss(guess, truth, mask) for name, guess in guesses.items()}


unseen = lab.tiles(3000, bands=bands.S2_BANDS, every=4).images
for name, places in (("synthetic", unseen), ("real", fields)):
    print(f"{name:9}", "  ".join(f"{way} {loss:.2f}" for way, loss in scores(places).items()))

# %% [markdown]
# On its own kind of place the shipped model beats everything, about 0.6 against 0.7 for the hedged
# interpolation. On real European fields the order turns round: the model stays at 0.6, and
# interpolation, which was trained on nothing, reaches about 0.5. Both facts are true of the same
# weights. **A masked autoencoder learns the regularities of what it saw**: here a synthetic
# frontier, simpler than nature.
#
# And the pictures? They looked better than the numbers, since brightness was lent. Whoever shows
# you a reconstruction owes you the same picture with interpolation beside it.

# %% [markdown]
# ## What was learnt, and how much to hide?
#
# Painting is the homework, not the goal. The goal are **features**: does the encoder, which nobody
# told anything, know something about forests? A question that ecologists ask: how long is the
# **forest's edge**, in km per square km? It tells how broken up a forest is, and a mean colour
# tells it only in part.
#
# 64 tiles get a label. A straight line (ridge regression) on the features must tell the rest. $R^2
# = 1$ is perfect, 0 is guessing the mean.

# %%
labelled = lab.tiles(2000)
torch.manual_seed(1)
untrained = MAE(config).eval()
both = [labelled.images, exam.images]
with torch.no_grad():
    vectors = {
        name: [torch.cat([each.features(part) for part in some.split(32)]) for some in both]
        for name, each in (("one minute", model), ("untrained", untrained))
    }
vectors["band means"] = [some.mean(dim=(2, 3)) for some in both]
live = {
    name: lab.explained((one.numpy(), labelled.edges), (other.numpy(), exam.edges))
    for name, (one, other) in vectors.items()
}
print("better than band means:", [name for name in live if live[name] > live["band means"]])

# %% [markdown]
# One seed is an anecdote. The script `experiments/02_masked_autoencoders.py` trained 25
# models, five seeds at each of five mask ratios, 1000 steps each at 10 m, and stored what it
# measured; 40 minutes that you need not wait for.
#
# **Predict:** at which ratio are the features best? At which does the model beat interpolation by
# most? Are the two the same?

# %%
found = results.stored("02_masked_autoencoders")
runs, ratios = found["runs"], found["ratios"]
painting = [[run["error"] for run in runs if run["ratio"] == ratio] for ratio in ratios]
probing = [[run["r2"] for run in runs if run["ratio"] == ratio] for ratio in ratios]
ways = ("mean", "nearest", "linear")
relative = [
    interval([each["learnt"] / min(each[way] for way in ways) for each in errors])
    for errors in painting
]
edges = [interval([each["learnt"] for each in r2]) for r2 in probing]
free = "means and deviations"
gains = [paired_interval([e["learnt"] for e in r2], [e[free] for e in r2]) for r2 in probing]
print("hidden   error / best painter   R2 of the edge       gain on means and deviations")
for ratio, *row in zip(ratios, relative, edges, gains, strict=True):
    texts = [f"{one.mean:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in row]
    print(f"{ratio:6.0%}   " + "    ".join(texts))

# %% [markdown]
# The same as curves, with what costs nothing drawn beside.


# %%
def seeds_curve(ax, x, table, name, colour, over=None):
    """Draw the mean over seeds and its interval; table holds for each x one entry per seed."""
    each = [interval([run[name] / run.get(over, 1) for run in group]) for group in table]
    half = [one.high - one.mean for one in each]
    plot.curve(x, [one.mean for one in each], half, label=name, colour=colour, ax=ax)


left, right = plot.panels(1, 2, title="How much to hide? 5 seeds, 95 %", size_in=(4.2, 3.4))
percent = [100 * ratio for ratio in ratios]
for colour, name in zip(plot.COLOURS, ("learnt", "mean", "nearest"), strict=False):
    seeds_curve(left, percent, painting, name, colour, over="linear")
left.axhline(1, color="0.5")
left.set(xlabel="hidden (%)", ylabel="error / that of linear", title="painting")
for colour, name in zip(plot.COLOURS, probing[0][0], strict=False):
    seeds_curve(right, percent, probing, name, colour)
right.plot(75, live["one minute"], "k*", label="yours, one minute")
right.set(xlabel="hidden (%)", ylabel="R2, 64 labels", title="features: the forest's edge")
right.set_ylim(0.65, 0.95)
left.legend(fontsize="small")
right.legend(fontsize="small", loc="lower left")
surely = [f"{ratio:.0%}" for ratio, one in zip(ratios, relative, strict=True) if one.high < 1]
best = max(zip(edges, ratios, strict=True), key=lambda pair: pair[0].mean)
plot.show(
    f"all three painters are surely beaten at {', '.join(surely) or 'no ratio'}; "
    f"the best features, R2 {best[0].mean:.2f}, come from {best[1]:.0%} hidden."
)

# %% [markdown]
# *Painting:* at 25 % hidden a visible neighbour is always near, and interpolation wins: the model
# makes about 1.2 times its error. At 50 % it is a draw, at 75 % the model is about 7 % better than
# the best painter, at 90 and 95 % about 15 %, where nothing is left to hold on to. (There the plain
# mean becomes the best of the three.)

# %% [markdown]
# *Features:* without a single label the encoder learnt something: at every ratio it tells the edge
# better than band means, and from 75 % on surely better than its untrained twin. On *means and
# deviations*, eight numbers for free, it gains 0.01 to 0.05 of R2, and only at 90 and 95 % is the
# interval above 0. The paper recommends 75 % for photographs; here 90 and 95 % are no worse, if
# anything a little better.
#
# Fair? All made the same number of steps, but a step at 95 % costs less than half of one at 25 %.

# %% [markdown]
# ## Break it: the same place with other pixels
#
# A vision transformer learns *where* a patch is from a code of its row and column **number**. At 10
# m, patch 3 begins 240 m from the left. At 5 m it begins at 120 m, at 20 m at 480 m. Same number,
# other place: **positions count patches, not metres.**
#
# **Predict:** our one-minute model was trained at 10 m. It now gets the same 640 m at 5 m and at 20
# m. Where will it suffer more, and why?

# %%
views = {g: lab.tiles(3000, gsd_m=g, every=4).images for g in (5, 10, 20)}
axes = plot.panels(1, 3, title="The same 640 m, cut into patches of 8 pixels", size_in=(2.8, 3.1))
for ax, (gsd_m, view) in zip(axes, views.items(), strict=True):
    place, side = view[exam.edges[::4].argmax()].numpy(), view.shape[-1]
    draw(place, place, f"{gsd_m} m: columns 0 to {side // 8 - 1}", ax)
    for line in range(8, side, 8):
        ax.axhline(line - 0.5, color="white", linewidth=0.6)
        ax.axvline(line - 0.5, color="white", linewidth=0.6)
plot.show("one place is 256, 64 or 16 tokens; column 3 ends at 160, 320 or 640 m.")

# %% [markdown]
# To find out whether the *counting* is to blame, and not the blurred or sharpened pixels, we need
# the same weights with positions in metres. That is easy: the codes are computed, not learnt, so
# they hold no weights. `gsd_encoding=True` multiplies each number by GSD / 10 m, and a model that
# counts becomes one that **measures**. At 10 m the two are the same.

# %%
settings_in_metres = {**vars(config), "gsd_encoding": True, "reference_gsd": 10.0}
measuring = MAE(MAEConfig(**settings_in_metres)).eval()
measuring.load_state_dict(model.state_dict())
for gsd_m, view in views.items():
    some = view[::2]
    counted = model.reconstruct(some, gsd_m, torch.Generator().manual_seed(0))
    measured = measuring.reconstruct(some, gsd_m, torch.Generator().manual_seed(0))
    one, other = (lab.hidden_error(m.prediction, some, m.mask) for m in (counted, measured))
    print(f"{gsd_m:2} m: counting is {'worse' if one > 1.02 * other else 'not worse'}")

# %% [markdown]
# One model again; the stored five seeds follow, at four GSDs. And a second question, of features:
# is the vector of a place at another GSD most similar, among 1024 places, to that of the *same
# place* at 10 m? **Predict** how often: with counting, with measuring, and with plain band means,
# four numbers for each place.

# %%
gsds = [f"{gsd_m:g}" for gsd_m in found["gsds_m"]]
asked = [[run["gsd"][gsd] for run in runs if "gsd" in run] for gsd in gsds]
left, right = plot.panels(1, 2, title="Trained at 10 m, asked at others", size_in=(4.2, 3.4))
for colour, way in zip(plot.COLOURS, ("counted", "measured", "nearest"), strict=False):
    seeds_curve(left, range(4), asked, f"error, {way}", colour, over="error, linear")
for colour, way in zip(plot.COLOURS, ("counted", "measured", "means"), strict=False):
    seeds_curve(right, range(4), asked, f"found, {way}", colour)
left.axhline(1, color="0.5")
left.set(ylabel="error / that of linear", title="painting, 75 % hidden")
right.set(ylabel="share of places found again", title="features")
for ax in (left, right):
    ax.set_xticks(range(4), gsds)
    ax.set_xlabel("GSD (m)")
    ax.legend(fontsize="small")
at_5 = {
    way: interval([run[f"error, {way}"] / run["error, linear"] for run in asked[0]])
    for way in ("counted", "measured")
}
plot.show(
    f"at 5 m counting has {at_5['counted'].mean:.2f} times the error of interpolation, measuring "
    f"{at_5['measured'].mean:.2f}; band means find every place again, features far fewer."
)

# %% [markdown]
# *Painting:* at 5 m the counting model makes about 1.5 times the error of interpolation, the
# measuring one about 1.1, with the same weights. It counts up to 15 where it only ever saw 0 to 7.
# At 20 and 40 m its numbers stay among those it knows, and there **counting does no harm that five
# seeds could show**, whatever our single model said. "Other pixels break it" is half true.
#
# *Features:* seen at 5 m, a place is most similar to itself in one case of four; measured, in half.
# At 20 m the difference is within the interval, at 40 m both are lost. Four band means find *every*
# place: a mean does not know about pixels. So part of the damage is no matter of positions: 8
# pixels now hold another piece of ground, with another texture.

# %% [markdown]
# ## What we saw, and what it does not show
#
# - Hiding is cheap: at 75 % one sixteenth of the attention is left.
# - A reconstruction is judged by what *unlearnt* paint reaches. Little hidden: interpolation wins.
#   Much hidden: the model wins, on places like those it was trained on.
# - Without any label, features came out that tell a forest's edge from 64 examples better than band
#   means and an untrained encoder do; better than means and deviations only by a little.
# - Positions count patches: at finer pixels than in training the model breaks, and a ruler mends
#   most of it. At coarser pixels positions were not to blame.
# - **Not shown:** that any of this holds on real forest. The frontier is synthetic; the shipped
#   model lost on real fields. One kind of label, small models, minutes of training.

# %% [markdown]
# **References.** K. He, X. Chen, S. Xie, Y. Li, P. Dollár, R. Girshick, Masked Autoencoders Are
# Scalable Vision Learners, CVPR 2022, arXiv 2111.06377. A. Dosovitskiy et al., An Image is Worth
# 16x16 Words, ICLR 2021, arXiv 2010.11929.
#
# **Next:** lesson 03 gives the model a ruler.

# %%
rsedu.progress("02")
