# %% [markdown]
# # Can radar and optical images teach each other?
#
# After this notebook you will be able to
#
# - write the **contrastive** loss by hand, in both directions, and say why the batch is the
#   negatives;
# - tell patches how **far apart** they lie instead of where they are, also when each sensor was
#   masked by itself;
# - say what contrast, reconstruction and both together bring, what each of them **needs**, and what
#   a cloud does to the answer.
#
# **60 minutes.** Needs lessons 01 and 02. Nothing is downloaded; one cell trains for about 25
# seconds.

# %% tags=["nbval-ignore-output"]
from dataclasses import replace

import numpy as np
import torch

import rsedu
from rsedu import plot
from rsedu.lessons import objectives, sensors
from rsedu.models import CromaTraining
from rsedu.scenes import samples
from rsedu.scenes.synthetic import Frontier

rsedu.setup("05")

# %% [markdown]
# ## Two looks at one place
#
# Lesson 01 met two satellites. Sentinel-2 measures sunlight in 12 bands: what things are made of,
# if no cloud is in the way. Sentinel-1 sends its own microwaves, 5.5 cm long, and listens to the
# echo in two polarisations: how rough, how wet, how tall, day and night, through any cloud.
#
# Here are four of the six **real** pairs that come with the kit, squares of 640 m, seen by both
# within a day. **Predict:** if the lower row were shuffled, could you put it right again?

# %%
pairs = samples.pairs()
middle = {"rows": slice(24, 88), "cols": slice(24, 88)}
axes = plot.panels(2, 4, title="Real places: colour above, radar below", size_in=(1.9, 2.1))
for above, below, at in zip(axes, axes[4:], (0, 1, 3, 5), strict=False):
    plot.true_colour(pairs[at].optical.crop(**middle), title=pairs[at].name, ax=above)
    echo, look = pairs[at].radar.crop(**middle), {"label": "VH (dB)", "cmap": "gray", "title": "VH"}
    plot.index_map(echo.band("VH"), echo, ax=below, limits=(-25, -10), bar=at == 5, **look)
water = pairs[0].radar.band("VH")[pairs[0].optical.band("B08") < 0.1].mean()
plot.show(f"the lake's echo is {water:.0f} dB, far darker than any land: it mirrors waves away.")

# %% [markdown]
# The lake, yes: smooth water sends the waves away. Fields, perhaps: some borders show in both. The
# rest drowns in speckle. Nobody will hand you a rule for it, and labels are rare. But one thing is
# free: **we know which two images belong together**, since both satellites know where they were.
#
# That is enough to learn from. For numbers we need many places, so back to the **synthetic**
# frontier. **Predict:** which of these three would you trust on a day like this?

# %%
place, there = Frontier(seed=3000), (slice(192, 320), slice(192, 320))
clear = place.optical(date=2018.0, window=there)
cloudy = place.optical(date=2018.0, window=there, cloud_cover=0.6)
radar = place.radar(date=2018.0, window=there)
axes = plot.panels(1, 3, title="One place of 1.3 km, one day", size_in=(3.1, 3.3))
plot.true_colour(clear, title="optical, clear", ax=axes[0])
plot.true_colour(cloudy, title="optical, cloudy", like=clear, ax=axes[1])
plot.band(radar, "VH", title="radar VH", ax=axes[2])
hidden = place.clouds(date=2018.0, cloud_cover=0.6, window=there).mean()
plot.show(f"clouds hide {hidden:.0%} of the middle picture; radar does not notice them.")

# %% [markdown]
# CROMA (Fuller, Millard and Green, 2023) has an **encoder** for each sensor and a third that reads
# both. It learns in two ways at once: *contrast* asks which two images belong together,
# *reconstruction* asks to paint what is hidden, as in lesson 02. We take the two apart, then put
# them together.

# %% [markdown]
# ## The batch asks the question
#
# Take $N$ places. The radar encoder makes a vector $a_i$ of each, the optical encoder a vector
# $b_i$. Each radar vector asks: *which of the N optical vectors is mine?* And the other way round.
# With $s_{ij} = \cos(a_i, b_j) / \tau$ and the temperature $\tau$ the loss is the mean of both
# questions' cross-entropies, InfoNCE:
#
# $$L = -\frac{1}{2N} \sum_i \left[ \log \frac{e^{s_{ii}}}{\sum_j e^{s_{ij}}} + \log
# \frac{e^{s_{ii}}}{\sum_j e^{s_{ji}}} \right]$$
#
# Nobody chose the negatives: **they are the rest of the batch**.

# %% [markdown]
# ### Exercise: which two belong together?
#
# Difficulty 3 of 3 · 8 minutes · 3 points
#
# **Goal:** the loss of one batch, as one number.


# %% rsedu={"id": "info_nce"}
def info_nce(first, second, temperature):
    """Symmetric contrastive loss.

    Args:
        first: (N, D) float, vectors of one sensor, of any length.
        second: (N, D) float, of the other; row i of both belongs together.
        temperature: what cosines are divided by, above 0.

    Returns:
        One number, >= 0.
    """
    ### BEGIN SOLUTION
    first = first / np.linalg.norm(first, axis=1, keepdims=True)
    second = second / np.linalg.norm(second, axis=1, keepdims=True)
    likeness = np.exp(first @ second.T / temperature)
    forth = np.diag(likeness) / likeness.sum(axis=1)
    back = np.diag(likeness) / likeness.sum(axis=0)
    return -(np.log(forth).mean() + np.log(back).mean()) / 2
    ### END SOLUTION


rsedu.check("info_nce", info_nce)
info_nce = rsedu.checkpoint("info_nce", info_nce)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# With rows of length 1, <code>first @ second.T</code> is the table of all cosines: row i asks,
# column j answers.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# Two softmaxes of one table: sums over <code>axis=1</code> for the one direction, over
# <code>axis=0</code> for the other. Of each, only the diagonal counts.
# </details>
#
# What does the temperature do? Say the partner's cosine is 0.8, and 63 strangers have 0.5 each.
# **Predict:** which share of the softmax does the partner get at a temperature of 1, and at 0.07,
# where CROMA starts?

# %%
for temperature in (1.0, 0.2, 0.07, 0.02):
    votes = np.exp(np.array([0.8] + 63 * [0.5]) / temperature)
    share = votes[0] / votes.sum()
    print(f"temperature {temperature:4}: share {share:5.1%}, loss {-np.log(share):.2f}")
print(f"guessing costs log(64) = {np.log(64):.2f}")

# %% [markdown]
# At 1, even a perfect order costs nearly as much as guessing: cosines are too narrow for a softmax.
# At 0.02 the loss is content, and stops pulling. In between lies work; CROMA therefore *learns* the
# temperature. Note the guess: it costs $\log N$. **A larger batch asks a harder question.**

# %% [markdown]
# ### Exercise: is the partner among the first k?
#
# Difficulty 2 of 3 · 6 minutes · 2 points
#
# **Goal:** a measure that one can read. Recall@k is the share of questions whose partner is among
# the k most similar; by chance k / N.


# %% rsedu={"id": "recall_at_k"}
def recall_at_k(similarity, k):
    """Share of partners found, in both directions.

    Args:
        similarity: (N, N) float, radar image i in row i, its optical partner in column i.
        k: how many candidates may be looked at, 1 to N.

    Returns:
        (radar finds optical, optical finds radar), two floats from 0 to 1.
    """
    ### BEGIN SOLUTION
    partner = np.diag(similarity)
    forth = (similarity > partner[:, None]).sum(axis=1) < k
    back = (similarity > partner[None, :]).sum(axis=0) < k
    return forth.mean(), back.mean()
    ### END SOLUTION


rsedu.check("recall_at_k", recall_at_k)
recall_at_k = rsedu.checkpoint("recall_at_k", recall_at_k)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# No sorting is needed: how many candidates are *more* similar than the partner? Fewer than k?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>similarity > partner[:, None]</code> compares along the rows, where radar asks. The other
# question runs down the columns.
# </details>

# %% [markdown]
# Now watch it learn. A small CROMA without its decoder gets pairs of tiles, 640 m by 640 m, from
# three synthetic worlds, 64 pairs a step, and the contrastive loss. Nothing else: no label, no
# picture to paint. The exam is another world, in those tiles that are not all forest, since forest
# looks like forest.
#
# **Predict:** after 300 steps, how often is the first guess right?

# %%
worlds = [sensors.look(seed) for seed in (1000, 1001, 1002)]
exam = sensors.cut([sensors.look(3000)])
mixed = np.flatnonzero(exam.forest < 0.95)
print(f"{len(mixed)} of {len(exam.forest)} tiles; chance is {1 / len(mixed):.1%}")

# %% [markdown]
# Training takes some 25 seconds on one core. `likeness` is the table that both questions are read
# from.

# %%
torch.manual_seed(0)
fresh = CromaTraining(objectives.OBJECTIVES["contrast"]).eval()
learnt = objectives.learn(
    objectives.OBJECTIVES["contrast"], sensors.Pairs(worlds=worlds, seed=0), seed=0, steps=300
)


def likeness(model, tiles=exam, chosen=mixed):
    """Cosines between the radar vectors (rows) and the optical ones (columns) of some tiles."""
    sides = [torch.from_numpy(each[chosen]) for each in objectives.contrasted(model, tiles)]
    one, other = (torch.nn.functional.normalize(each, dim=1) for each in sides)
    return (one @ other.T).numpy()


before, after = likeness(fresh), likeness(learnt)
found = min(recall_at_k(after, 1))
print("right at first guess at least 20 times as often as by chance:", found > 20 / len(mixed))

# %% [markdown]
# Half a minute of knowing which belongs to which. Two tables show who votes for whom, before and
# after, and the curve how far down the list one has to look.

# %%
left, middle, right = plot.panels(1, 3, title="Radar asks, optical answers", size_in=(3.2, 3.2))
for ax, table, name in ((left, before, "before"), (middle, after, "after 300 steps")):
    votes = np.exp(table[::5, ::5] / 0.07)  # 26 tiles, not neighbours
    mesh = ax.imshow(100 * votes / votes.sum(axis=1, keepdims=True), cmap="cividis", vmax=25)
    ax.set(title=name, xlabel="optical tile", ylabel="radar tile")
    ax.figure.colorbar(mesh, ax=ax, label="share of the softmax (%)", shrink=0.7)
ks = np.arange(1, len(mixed) + 1)
for table, name, colour in ((before, "before", "0.6"), (after, "after", plot.COLOURS[0])):
    right.plot(ks, [100 * recall_at_k(table, k)[0] for k in ks], color=colour, label=name)
right.plot(ks, 100 * ks / len(ks), "k:", label="chance")
right.set(xscale="log", xlabel="candidates looked at (k)", ylabel="partner found (%)")
right.set_title("recall@k")
right.legend(fontsize="small")
plot.show(
    "before, some tiles please everybody; after, the diagonal, where partners meet, is bright."
)

# %% [markdown]
# About three partners in ten are found at the first guess, six in ten among five, where chance
# would give less than one and four in a hundred. What tells the places apart is in *both* images,
# or it would not help: how much was cleared, where it lies in the tile, whether water runs through.
# What only one sensor sees is of no use to this loss. **Contrast keeps what both share.**
#
# And if two tiles of a batch come from *one* place? Then the right answer is called wrong: a
# **false negative**.

# %% [markdown]
# ### Exercise: how many negatives are false?
#
# Difficulty 2 of 3 · 4 minutes · 2 points
#
# **Goal:** each sample of a batch comes from one of so many places, each as likely. How many pairs
# of samples from one place are to be expected?


# %% rsedu={"id": "same_place_pairs"}
def same_place_pairs(batch, places):
    """Expected number of pairs of samples from one place.

    Args:
        batch: samples B in a batch.
        places: how many places there are.

    Returns:
        One number, >= 0; each pair counts once.
    """
    ### BEGIN SOLUTION
    return batch * (batch - 1) / 2 / places
    ### END SOLUTION


rsedu.check("same_place_pairs", same_place_pairs)
same_place_pairs = rsedu.checkpoint("same_place_pairs", same_place_pairs)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# How many pairs can be made of B samples? And what is the chance that the second of a pair comes
# from where the first came from?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# Expected numbers add up, whether or not the pairs depend on each other.
# </details>
#
# Our three worlds hold 768 places of 640 m. **Predict:** is a batch of 64 safe? One of 4096? And
# with a quarter of a million places, about as many as SSL4EO-S12 has, on which CROMA was trained?

# %%
for batch, places in ((64, 768), (4096, 768), (4096, 250_000)):
    pairs_of_one = same_place_pairs(batch, places)
    print(f"batch {batch:4}, {places:6} places: {pairs_of_one:8.1f} false pairs", end=", ")
    print(f"{2 * pairs_of_one / batch:.2f} doubles of each sample")

# %% [markdown]
# Large batches want many places: with few, every sample of a batch of 4096 has five doubles that it
# is told to push away. That is one of the costs of contrast, to which we come back.

# %% [markdown]
# ## Distances instead of addresses
#
# Lesson 03 gave each patch an address. CROMA gives none. It tells attention how far apart two
# patches *lie* and lets each head lose interest with distance in its own way, **2D-ALiBi**:
#
# $$\mathrm{softmax}\left(\frac{q\,k}{\sqrt{d}} - m_h \sqrt{\Delta r^2 + \Delta c^2}\right),
# \qquad m_h = 2^{-8h/n}, \quad h = 1 \ldots n$$
#
# for $n$ heads, with rows and columns counted in patches. No table to be learnt, so no table to run
# out of: a larger image only has larger distances.

# %% [markdown]
# ### Exercise: a penalty on distance
#
# Difficulty 2 of 3 · 7 minutes · 3 points
#
# **Goal:** what is added to the logits of each head.


# %% rsedu={"id": "alibi_bias"}
def alibi_bias(rows, cols, heads):
    """2D-ALiBi.

    Args:
        rows: of patches in the grid.
        cols: of patches in the grid; tokens are counted row by row.
        heads: number n of attention heads, a power of 2.

    Returns:
        (heads, rows * cols, rows * cols) float, at most 0.
    """
    ### BEGIN SOLUTION
    row, col = np.divmod(np.arange(rows * cols), cols)
    distance = np.hypot(row[:, None] - row, col[:, None] - col)
    slopes = 2.0 ** (-8 * np.arange(1, heads + 1) / heads)
    return -slopes[:, None, None] * distance
    ### END SOLUTION


rsedu.check("alibi_bias", alibi_bias)
alibi_bias = rsedu.checkpoint("alibi_bias", alibi_bias)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Token t stands in row <code>t // cols</code> and column <code>t % cols</code>;
# <code>np.divmod</code> gives both.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>row[:, None] - row</code> is the table of all differences; <code>np.hypot</code> makes
# distances of two such tables; <code>slopes[:, None, None]</code> gives each head its own.
# </details>
#
# If all patches were equally interesting, attention would be the softmax of this bias alone.
# **Predict:** on a grid of 15 x 15, what does the first of eight heads see from the centre, and
# what the last?

# %%
bias = alibi_bias(15, 15, 8)
axes = plot.panels(1, 4, title="Where a head looks from the centre", size_in=(2.6, 2.7))
reach = {}
for ax, head in zip(axes, (1, 2, 3, 8), strict=True):
    attention = np.exp(bias[head - 1, 112])
    attention /= attention.sum()
    reach[head] = (attention * -bias[head - 1, 112]).sum() / 2.0**-head
    mesh = ax.imshow(100 * attention.reshape(15, 15), cmap="cividis")
    ax.figure.colorbar(mesh, ax=ax, shrink=0.7, label="attention (%)")
    ax.set(title=f"head {head}", xlabel="column (patch)", ylabel="row (patch)")
plot.show(f"mean distance looked at: {reach[1]:.1f} patches in head 1, {reach[8]:.1f} in head 8.")

# %% [markdown]
# The first head is near-sighted, the last sees the whole image nearly evenly. Between sensors the
# same table serves: a radar patch asks, optical patches answer, and the distance between *their*
# places counts. That is **X-ALiBi**.
#
# But in training both sensors are masked, and **each by a draw of its own**: what radar shows,
# optical may hide. So out of the whole table come the rows of the kept radar patches and the
# columns of the kept optical ones.

# %% [markdown]
# ### Exercise: two masks, one ground
#
# Difficulty 2 of 3 · 5 minutes · 2 points
#
# **Goal:** the bias between the patches that are left.


# %% rsedu={"id": "cross_bias"}
def cross_bias(bias, radar_keep, optical_keep):
    """X-ALiBi between kept patches.

    Args:
        bias: (heads, N, N) float, between all patches.
        radar_keep: (K,) int, places of the kept radar patches, in shuffled order; they ask.
        optical_keep: (K,) int, places of the kept optical patches; they answer.

    Returns:
        (heads, K, K) float: rows radar, columns optical.
    """
    ### BEGIN SOLUTION
    return bias[:, radar_keep][:, :, optical_keep]
    ### END SOLUTION


rsedu.check("cross_bias", cross_bias)
cross_bias = rsedu.checkpoint("cross_bias", cross_bias)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# One axis after the other: first choose rows, then, of the result, columns.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>bias[:, radar_keep, optical_keep]</code> would give pairs, not a table.
# </details>
#
# A slip that nobody sees. In the joint encoder radar tokens also look at *each other*. The
# published pre-training code hands that step the bias above, radar to **optical**. **Predict:**
# what distance does a patch then have to itself?

# %%
draw = np.random.default_rng(5)
radar_keep, optical_keep = (draw.permutation(64)[:16] for _ in range(2))
distances = -alibi_bias(8, 8, 1) * 2**8
right = cross_bias(distances, radar_keep, radar_keep)[0]
used = cross_bias(distances, radar_keep, optical_keep)[0]
print(f"a radar patch to itself: {np.diag(right).mean():.1f} patches, as used", end=" ")
print(
    f"{np.diag(used).mean():.1f}; correlation {np.corrcoef(right.ravel(), used.ravel())[0, 1]:.2f}"
)

# %% [markdown]
# Every shape fits, the loss falls, and without masks, when the model is *used*, both tables are
# the same. So training and use differ, silently. rsedu gives each step its own table;
# `CromaTrainingConfig(released_bias=True)` brings the slip back, for those who want to measure it.

# %% [markdown]
# ## Two masks, one painting
#
# Three quarters of each sensor are hidden, independently. The joint encoder reads what is left, and
# a small decoder paints **all** patches in **all** 14 bands. Where optical is hidden and radar is
# not, the echo must help. As in lesson 02 each patch is its own yardstick: its mean is taken away
# and it is divided by its deviation (over $n - 1$; $10^{-6}$ is added to the variance), here over
# the bands of both sensors at once. Then, with hidden patches $M$ of each,
#
# $$L = \underset{M_\text{optical},\ 12\text{ bands}}{\mathrm{mean}} (\hat x - x)^2 +
# \underset{M_\text{radar},\ 2\text{ bands}}{\mathrm{mean}} (\hat x - x)^2$$

# %% [markdown]
# ### Exercise: one loss for two sensors
#
# Difficulty 3 of 3 · 8 minutes · 3 points
#
# **Goal:** the sum of both losses, for one place.


# %% rsedu={"id": "two_losses"}
def two_losses(prediction, optical, radar, optical_mask, radar_mask):
    """What CROMA's decoder is judged by.

    Args:
        prediction: (N, pixels, 14) float, optical bands first.
        optical: (N, pixels, 12) float, standardised patches.
        radar: (N, pixels, 2) float, likewise.
        optical_mask: (N,) float, 1 where a patch was hidden to the optical encoder.
        radar_mask: (N,) float, likewise.

    Returns:
        One number, >= 0. The check may use fewer than 12 optical bands: take it from the shape.
    """
    ### BEGIN SOLUTION
    both = np.concatenate([optical, radar], axis=2)
    mean = both.mean(axis=(1, 2), keepdims=True)
    spread = np.sqrt(both.var(axis=(1, 2), ddof=1, keepdims=True) + 1e-6)
    error = (prediction - (both - mean) / spread) ** 2
    of_optical = error[optical_mask > 0][:, :, : optical.shape[2]]
    of_radar = error[radar_mask > 0][:, :, optical.shape[2] :]
    return of_optical.mean() + of_radar.mean()
    ### END SOLUTION


rsedu.check("two_losses", two_losses)
two_losses = rsedu.checkpoint("two_losses", two_losses)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Concatenate the bands first; mean and variance run over <code>axis=(1, 2)</code>, pixels and
# bands.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# Two means, each with its own mask and its own bands. One mean over everything would let 12 bands
# outvote 2.
# </details>

# %% [markdown]
# ## Break it: the yardstick of the batch
#
# All of this rests on a quiet step. rsedu standardises pixels with **fixed** statistics of each
# band. CROMA's own recipe measures mean and deviation on the *batch* at hand, and clips at two
# deviations. That works until a batch is not like the others.
#
# The exam from above again, with the model that you have trained. We give the batch's yardstick
# every advantage: in a batch of clear tiles it is the fixed one, but for the clipping. Then tiles
# that are all cloud join the batch. **Predict:** what becomes of the answers for the *clear* tiles,
# whose pixels have not changed?

# %%
clear = exam.optical[mixed]
under_cloud = sensors.cut([sensors.look(3000, cloud_cover=1.0)]).optical[mixed]


def yardstick(images, like):
    """Standardise by the batch, clip at 2 deviations, and bring to the scale of another batch."""
    mean, deviation = (getattr(images, f)((0, 2, 3), keepdim=True) for f in ("mean", "std"))
    scaled = ((images - mean) / deviation).clamp(-2, 2)
    return scaled * like.std((0, 2, 3), keepdim=True) + like.mean((0, 2, 3), keepdim=True)


left = {}
for count in (0, 1, 3, 7, 14, 32, 65):
    batch = yardstick(torch.cat([clear, under_cloud[:count]]), clear)[: len(clear)]
    spoilt = replace(exam, radar=exam.radar[mixed], optical=batch)
    left[count] = 100 * np.mean(recall_at_k(likeness(learnt, spoilt, slice(None)), 1))
halved = min(count for count, percent in left.items() if percent < left[0] / 2)
print(f"{halved} cloudy tiles beside {len(clear)} clear ones halve recall@1")

# %% [markdown]
# A few clouds in the batch stretch the yardstick, and the whole forest shrinks to a few shades. The
# curve, beside fixed statistics, for which nothing changes:

# %%
left_ax, right_ax = plot.panels(
    1, 2, title="The same clear tiles in cloudier batches", size_in=(4.0, 3.2)
)
fixed = 100 * np.mean(recall_at_k(after, 1))
shares = [100 * count / (count + len(clear)) for count in left]
left_ax.plot(shares, list(left.values()), "o-", color=plot.COLOURS[1], label="of the batch")
left_ax.axhline(fixed, color=plot.COLOURS[0], label="fixed")
left_ax.axhline(100 / len(clear), color="k", linestyle=":", label="chance")
left_ax.set(xlabel="cloudy tiles in the batch (%)", ylabel="recall@1 (%)", title="clear tiles only")
left_ax.legend(fontsize="small", title="statistics")
for count, colour in zip((0, 7, 65), plot.COLOURS, strict=False):
    seen = yardstick(torch.cat([clear, under_cloud[:count]]), clear)[: len(clear), 2]
    right_ax.hist(seen.flatten().numpy(), bins=60, histtype="step", color=colour, label=f"{count}")
right_ax.set(
    xlabel="B03, standardised", ylabel="pixels", title="what the model is shown", yscale="log"
)
right_ax.legend(fontsize="small", title="cloudy tiles")
plot.show(
    "the more clouds in the batch, the narrower the forest's numbers, and the worse its recall."
)

# %% [markdown]
# The pixels of a clear tile mean something else in every batch: its features depend on who sits
# beside it. (In a batch of nothing but thick cloud the deviation is near 0, and what is left is
# noise blown up, or a division by zero.) A model that was *trained* this way may have got used to
# some of it. One that is *used* this way, on your one cloudy scene, has not. Fixed statistics cost
# nothing: use the ones that a model was trained with.

# %% [markdown]
# ## What we saw, and what it does not show
#
# - Two sensors that see one place can teach each other without a label: which image belongs to
#   which is enough.
# - The batch is the question. Its negatives are whoever else is in it, right or wrong.
# - Distances can stand in for addresses, also between sensors, if each axis keeps its own places.
# - A yardstick that depends on the batch makes a pixel mean something else each time.
#
# Places were synthetic and the model small.

# %% [markdown]
# **References.** A. Fuller, K. Millard, J. Green, CROMA, NeurIPS 2023, arXiv 2311.00566. A. van den
# Oord et al., Contrastive Predictive Coding, arXiv 1807.03748 (InfoNCE). A. Radford et al., CLIP,
# ICML 2021, arXiv 2103.00020 (both directions). O. Press et al., ALiBi, ICLR 2022, arXiv
# 2108.12409. G. Sumbul et al., BigEarthNet-MM, IEEE GRSM 2021 (the real pairs).
#
# **Next:** lesson 06 asks whether a click can outline a clearing.

# %%
rsedu.progress("05")
