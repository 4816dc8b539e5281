# %% [markdown]
# # How much forest was lost, and when?
#
# After this notebook you will be able to
#
# - map the loss of forest from two satellites, and **date** it although clouds were in the way;
# - say how good a map is: found or not, when, and how many **hectares**, with an interval that you
#   earned with a sample;
# - tell a number that is right from one that looks right, and choose how your group goes on.
#
# **60 minutes.** Needs lesson 01. Nothing is downloaded; no cell takes longer than 10 seconds.

# %% tags=["nbval-ignore-output"]
import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

import rsedu
from rsedu import plot
from rsedu.lessons import results
from rsedu.project import area, baselines, figure
from rsedu.project import score as scoring
from rsedu.project.place import Place
from rsedu.project.task import Task

rsedu.setup("08")

# %% [markdown]
# ## The brief
#
# A district asks: *how much forest went between July 2020 and July 2025, where, when, and how sure
# are you?* By 16:00 your group hands in a change map that gives each lost pixel its year, hectares
# with an interval, and one page. Three or four people, and a role for each:
#
# | role | does | asks |
# |---|---|---|
# | mapper | the keyboard, the method | does it run on the whole place? |
# | doubter | the sample, the interval | how would we notice that it is wrong? |
# | scribe | the page, the clock | what did we do, in three sentences? |
# | guide | the figures, the two minutes at the end | what will they ask? |

# %% [markdown]
# | time | what | checkpoint |
# |---|---|---|
# | 13:00 | this notebook, in pairs | |
# | 14:00 | choose a track, open its starter | **1:** the baseline has run, and its score is on the board |
# | 14:15 | one of the three ways to beat it | |
# | 14:50 | start the map of the large place | **2:** better than the baseline, or a reason why not |
# | 15:20 | score, report | **3:** a map of 20 x 20 km with its interval |
# | 15:40 | two minutes for each group | **4:** the page is printed |
# | 16:00 | end | |
#
# Whoever is late at checkpoint 2 maps the large place with the baseline: a whole answer of a simple
# method is worth more than half an answer of a clever one.

# %% [markdown]
# ## Six dates, four of them under clouds
#
# We practise on a **synthetic** place of 4 x 4 km: the first of the kit's validation worlds in
# which something was lost in every year. Both satellites look once a year; at four of six dates
# clouds lie over most of it. Whoever computes a loss has to know where the ground was seen at all.
# **Predict:** which share of it, on a cloudy date?

# %%
place = Place(seed=2001, size_m=4000.0)
task = Task(place=place)
stack, true = task.read(), place.truth()
print(f"{'date':>8}  clear")
for date, clear in zip(stack.dates, stack.clear, strict=True):
    print(f"{date:>8}  {100 * clear.mean():4.0f} %")

# %%
dates = [place.frontier.optical(date=d, cloud_cover=c) for d, c in ((2020.5, 0), (2023.5, 0.6))]
axes = plot.panels(1, 3, title="SYNTHETIC place", size_in=(3.0, 3.2))
plot.true_colour(dates[0], title="2020.5", ax=axes[0])
plot.true_colour(dates[1], like=dates[0], title="2023.5", ax=axes[1])
radar = place.frontier.radar(date=2023.5)
plot.band(radar, "VH", title="2023.5, radar VH", ax=axes[2], bar=False)
never = 100 * np.mean(~stack.clear[1:5].any(axis=0))
plot.show(f"{never:.0f} % of the place was clear on none of the four dates in between.")

# %% [markdown]
# The clouds themselves cover 60 %. Add their shadows, their thin edges and a margin for what a
# threshold misses, and a tenth is left. The radar saw all of it, six times, through the clouds: but
# as a grey noise of speckle.
#
# ## How far did the echo fall?
#
# Leaves and branches scatter radar waves many times; bare soil does so less. So where forest goes,
# the echo falls, by 2 to 4 dB. To see that through speckle, compare the **mean power** of all looks
# before a moment with that of all looks after it:
#
# $$\Delta = 10 \log_{10} \frac{\bar P_\text{before}}{\bar P_\text{after}} \quad \text{(dB)}$$
#
# ### Exercise: by how many dB did the echo fall?
#
# Difficulty 1 of 3 · 5 minutes · 2 points
#
# **Goal:** the fall of each pixel, above 0 where the echo became weaker.


# %% rsedu={"id": "fall_db"}
def fall_db(before_db, after_db):
    """Fall of the mean power.

    Args:
        before_db: (looks, pixels) float, backscatter in dB.
        after_db: (other looks, pixels) float, likewise.

    Returns:
        (pixels,) float, dB.
    """
    ### BEGIN SOLUTION
    before, after = (np.mean(10 ** (looks / 10), axis=0) for looks in (before_db, after_db))
    return 10 * np.log10(before / after)
    ### END SOLUTION


rsedu.check("fall_db", fall_db)
fall_db = rsedu.checkpoint("fall_db", fall_db)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# A decibel is a logarithm: back to power with <code>10 ** (db / 10)</code>, then the mean.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>.mean(axis=0)</code> goes over the looks and leaves the pixels.
# </details>

# %% [markdown]
# A single pixel has 4.4 looks; a square of 5 x 5 has 110 and varies by a tenth. So each date is
# first averaged over its neighbours, as power again. Then we try all five moments between two
# dates. The largest fall says *whether*, the moment at which it happens says *when*. **Predict:**
# how well does one number separate lost forest from the rest?

# %%
power = ndimage.uniform_filter(10 ** (stack.radar / 10), size=(1, 1, 5, 5))
looks = 10 * np.log10(power).reshape(len(power), -1)
falls = np.stack([fall_db(looks[:at], looks[at:]) for at in range(1, len(looks))])
falls = falls.reshape(-1, 2, *stack.shape).mean(axis=1)  # of VV and VH
threshold = threshold_otsu(falls.max(axis=0))
print(f"Otsu's threshold: {threshold:.1f} dB")

# %%
lost = np.isfinite(true)
(ax,) = plot.panels(1, 1, title="The largest fall of each pixel", size_in=(5.4, 3.0))
for which, name, colour in ((~lost, "kept", 0), (lost, "lost", 1)):
    values = falls.max(axis=0)[which]
    ax.hist(
        values,
        np.arange(-0.5, 5, 0.1),
        density=True,
        alpha=0.7,
        color=plot.COLOURS[colour],
        label=f"{name}: {which.sum() / 100:.0f} ha",
    )
ax.axvline(threshold, color="black", linestyle="--", label=f"Otsu: {threshold:.1f} dB")
ax.set(xlabel="fall of backscatter (dB)", ylabel="share of the pixels per dB")
ax.legend(fontsize="small")
middle = np.median(falls.max(axis=0)[lost])
plot.show(f"lost forest fell by {middle:.1f} dB (median), {100 * lost.mean():.0f} % of the place.")

# %% [markdown]
# Nobody told Otsu's method where forest was lost: it looks for the gap between two heaps, and finds
# one although a heap has 4 % of the pixels. In the lower tail of the orange heap are the edges of
# clearings, where the 5 x 5 mean mixes both. The radar's map:

# %%
years = stack.between[falls.argmax(axis=0)]
by_radar = np.where(falls.max(axis=0) > threshold, years, np.float32(np.nan))
print("years it can give:", *stack.between)
print(f"{np.isfinite(by_radar).sum() / 100:.0f} ha on the map, {lost.sum() / 100:.0f} ha in truth")

# %% [markdown]
# ## When, if clouds were in the way?
#
# Now the optical side. NDVI falls where forest goes, and a cloud looks the same: its NDVI is low
# too. So a look counts only where it was **clear**. The loss happened after the last clear look
# that still shows forest, and before the first clear look that doesn't. Nothing says where in
# between: take the middle.
#
# ### Exercise: when, if clouds were in the way?
#
# Difficulty 3 of 3 · 9 minutes · 3 points
#
# **Goal:** the year of each pixel's loss, NaN for none.


# %% rsedu={"id": "loss_year"}
def loss_year(gone, clear, dates):
    """Date a loss from looks of which some are cloudy.

    Args:
        gone: (dates, pixels) bool, whether the look shows no forest; under clouds anything.
        clear: (dates, pixels) bool, whether the ground was seen; the first look is clear
            everywhere and shows no loss.
        dates: (dates,) float, decimal years, rising.

    Returns:
        (pixels,) float, decimal year half-way between the first clear look that shows the loss and
        the last clear look before it; NaN where no clear look shows one.
    """
    ### BEGIN SOLUTION
    years = np.full(gone.shape[1], np.nan)
    for pixel in range(gone.shape[1]):
        shows = np.flatnonzero(gone[:, pixel] & clear[:, pixel])
        if len(shows):
            seen = np.flatnonzero(clear[: shows[0], pixel])
            years[pixel] = (dates[seen[-1]] + dates[shows[0]]) / 2
    return years
    ### END SOLUTION


rsedu.check("loss_year", loss_year)
loss_year = rsedu.checkpoint("loss_year", loss_year)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# One pixel at a time: <code>np.flatnonzero(gone[:, pixel] & clear[:, pixel])</code> lists the
# looks that show the loss. The first of them counts, if there is one.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>np.flatnonzero(clear[:first, pixel])[-1]</code> is the last clear look before it.
# </details>

# %% [markdown]
# Forest is what had an NDVI above 0.75 in 2020, when the sky was clear; a fall by more than 0.1
# counts as gone. **Predict:** in which year will most of the loss be, if a pixel was seen in 2020
# and 2025 only?

# %%
index = baselines.ndvi(stack.optical)
gone = (index[0] - index > baselines.NDVI_LOSS) & (index[0] > baselines.FOREST_NDVI)
flat = (layer.reshape(len(index), -1) for layer in (gone & stack.clear[0], stack.clear))
by_ndvi = loss_year(*flat, np.array(stack.dates)).reshape(stack.shape).astype(np.float32)
print(f"{np.isfinite(by_ndvi).sum() / 100:.0f} ha on the map, {lost.sum() / 100:.0f} ha in truth")

# %%
axes = plot.panels(1, 3, title="When? Each map's own years", size_in=(3.1, 2.8))
edges = np.arange(2020.5, 2026)
shares = []
for ax, map_, name in zip(axes, (true, by_ndvi, by_radar), ("truth", "NDVI", "radar"), strict=True):
    counts = np.histogram(map_[np.isfinite(map_)], edges)[0] / 100
    ax.bar(edges[:-1] + 0.5, counts, width=0.8, color=plot.COLOURS[0])
    ax.set(title=name, xlabel="year of the loss", ylabel="hectares", ylim=(0, 65))
    shares.append(100 * counts[2] / counts.sum())
plot.show(f"NDVI puts {shares[1]:.0f} % of its loss into 2023, truth {shares[0]:.0f} %.")

# %% [markdown]
# A pixel that was seen in 2020 and 2025 only gets the middle, 2023.0, whatever happened. So NDVI
# finds the loss and makes up a *year of clearing* that never was: a heap in 2023 is an artefact of
# the sky. A report that said "2023 was the worst year" would be about clouds.

# %% [markdown]
# ## Is the map any good?
#
# "96 % of the pixels are right" says nothing where 96 % are forest that nobody touched. So count
# only change: precision is the share of the mapped loss that is one, recall the share of the true
# loss that was mapped, and
#
# $$F_1 = \frac{2}{1/\text{precision} + 1/\text{recall}} = \frac{2 \cdot \text{found}}
# {\text{mapped} + \text{true}}.$$
#
# *When* is judged apart, on the pixels that were found: the mean absolute difference in years.
#
# ### Exercise: F1 of change, and years beside the truth
#
# Difficulty 2 of 3 · 6 minutes · 2 points
#
# **Goal:** two numbers for a map of years.


# %% rsedu={"id": "change_scores"}
def change_scores(mapped, truth):
    """F1 of change, and the error of its dates.

    Args:
        mapped: (rows, cols) float, decimal year of the loss, NaN for none.
        truth: (rows, cols) float, likewise; one pixel at least is lost in both.

    Returns:
        (F1 from 0 to 1, whatever the years; mean absolute difference in years where both are lost).
    """
    ### BEGIN SOLUTION
    ours, theirs = np.isfinite(mapped), np.isfinite(truth)
    found = ours & theirs
    f1 = 2 * found.sum() / (ours.sum() + theirs.sum())
    return float(f1), float(np.abs(mapped[found] - truth[found]).mean())
    ### END SOLUTION


rsedu.check("change_scores", change_scores)
change_scores = rsedu.checkpoint("change_scores", change_scores)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# <code>np.isfinite(mapped)</code> is where the map shows a loss; <code>&</code> of both is what was
# found.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# For the years index both with the found pixels: <code>mapped[found] - truth[found]</code>.
# </details>

# %% [markdown]
# Three maps: NDVI, radar, and one that lets each sensor say what it knows: NDVI *whether*, since
# both ends of the period are clear, and radar *when*, since no cloud is in its way. **Predict** the
# order, by F1 and by years.

# %%
both = np.where(np.isfinite(by_ndvi), years, np.float32(np.nan))
maps = {"NDVI": by_ndvi, "radar": by_radar, "both": both}
for name, map_ in maps.items():
    f1, apart = change_scores(map_, true)
    print(f"{name:6}: F1 {f1:.2f}, dates {apart:.2f} years beside the truth")

# %%
found = scoring.score(both, true, gsd_m=10.0)
plot.show(figure.draw(both, true, place, found))

# %% [markdown]
# READ

# %% [markdown]
# ## How many hectares?
#
# Counting the map's pixels gives a number without an error, and the number is biased: what was
# missed is not in it, false alarms are. The way out (Olofsson et al., 2014): draw a random sample
# from each **stratum** of the map, the mapped loss and the rest, look up what is really there, and
# weigh each stratum by its hectares. With $W_h$ hectares, $n_h$ looked up and a share $p_h$ of them
# lost:
#
# $$\hat A = \sum_h W_h \, p_h, \qquad
# \mathrm{SE} = \sqrt{\sum_h W_h^2 \, \frac{p_h (1 - p_h)}{n_h - 1}} \quad \text{(ha)}$$
#
# The map may be bad: then the estimate is still right in the mean, and only its error grows.
#
# ### Exercise: hectares, and how sure?
#
# Difficulty 3 of 3 · 9 minutes · 3 points
#
# **Goal:** the estimated area and its standard error.


# %% rsedu={"id": "stratified_area"}
def stratified_area(counts, strata_ha):
    """Area that was lost, from a stratified random sample.

    Args:
        counts: (strata, 2) int, sampled pixels of each stratum: not lost, lost in truth.
        strata_ha: (strata,) float, hectares of each stratum on the map.

    Returns:
        (hectares lost, their standard error in hectares).
    """
    ### BEGIN SOLUTION
    drawn = counts.sum(axis=1)
    share = counts[:, 1] / drawn
    variance = share * (1 - share) / (drawn - 1)
    area_ha = (strata_ha * share).sum()
    return float(area_ha), float(np.sqrt((strata_ha**2 * variance).sum()))
    ### END SOLUTION


rsedu.check("stratified_area", stratified_area)
stratified_area = rsedu.checkpoint("stratified_area", stratified_area)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# <code>counts.sum(axis=1)</code> is how many were drawn from each stratum, <code>counts[:, 1] /
# drawn</code> the share that was lost.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# Variances add up, each weighted by its hectares squared; the root comes last.
# </details>

# %% [markdown]
# The doubter's work: 300 pixels, three quarters of them where the map shows *no* loss. In a real
# project somebody looks each of them up in images of finer pixels; here the hidden truth answers.
# **Predict:** how wide is the interval?

# %%
counts, sizes = scoring.sampled(np.isfinite(both), lost, sample=300, seed=0)
strata_ha = sizes / 100
area_ha, error_ha = stratified_area(counts, strata_ha)
print("               not lost   lost in truth")
for row, name, hectares in zip(counts, ("not mapped", "mapped"), strata_ha, strict=True):
    print(f"{name:10} {row[0]:12} {row[1]:10}   of {hectares:.0f} ha")
low, high = area_ha - 1.96 * error_ha, area_ha + 1.96 * error_ha
print(f"mapped {strata_ha[1]:.0f} ha; estimated {area_ha:.0f} ha, {low:.0f} to {high:.0f} (95 %)")
print(f"truth {lost.sum() / 100:.0f} ha")

# %% [markdown]
# READ

# %%
truth_ha, draws = lost.sum() / 100, []
for seed in range(200):
    drawn, _ = scoring.sampled(np.isfinite(both), lost, sample=300, seed=seed)
    draws.append((*stratified_area(drawn, strata_ha), drawn[0, 1]))
middle, error, omissions = np.transpose(draws)
held = np.abs(middle - truth_ha) <= 1.96 * error
print(f"mean of 200 estimates: {middle.mean():.0f} ha; truth {truth_ha:.0f} ha")
print(f"intervals that hold the truth: {100 * held.mean():.0f} %; promised: 95 %")

# %%
(ax,) = plot.panels(1, 1, title="Samples by what they met of the omissions", size_in=(5.4, 3.2))
for count in np.unique(omissions):
    mine = omissions == count
    x = count + np.linspace(-0.35, 0.35, mine.sum())
    ax.errorbar(x, middle[mine], 1.96 * error[mine], fmt=".", markersize=3, linewidth=0.6)
ax.axhline(truth_ha, color="black", linestyle="--", label="truth")
ax.set(xlabel="lost pixels in the sample that the map had missed", ylabel="hectares, 95 %")
ax.legend(fontsize="small")
plot.show(f"{100 * np.mean(omissions == 0):.0f} % of the samples met no omission at all.")

# %% [markdown]
# x


# %% rsedu={"id": "most_missed_ha"}
def most_missed_ha(looked, stratum_ha):
    """Most that may be lost in a stratum of which a sample showed none.

    Args:
        looked: pixels that were looked up, none of them lost.
        stratum_ha: hectares of the stratum.

    Returns:
        float, hectares: if more than this were lost, fewer than 5 of 100 samples would have met
        none.
    """
    ### BEGIN SOLUTION
    return float(stratum_ha * (1 - 0.05 ** (1 / looked)))
    ### END SOLUTION


rsedu.check("most_missed_ha", most_missed_ha)
most_missed_ha = rsedu.checkpoint("most_missed_ha", most_missed_ha)

# %%
for looked in (75, 225, 925):
    print(f"none of {looked:3}: up to {most_missed_ha(looked, strata_ha[0]):3.0f} ha were missed")
missed_ha = (lost & ~np.isfinite(both)).sum() / 100
print(f"in truth: {missed_ha:.1f} ha")

# %%
for size in (300, 1000):
    hits = []
    for seed in range(200):
        drawn, _ = scoring.sampled(np.isfinite(both), lost, sample=size, seed=seed)
        kit, (ours, error_ha) = area.estimate(drawn, strata_ha), stratified_area(drawn, strata_ha)
        hits.append(
            (abs(ours - truth_ha) <= 1.96 * error_ha, kit.low[1] <= truth_ha <= kit.high[1])
        )
    plain, jeffreys = 100 * np.mean(hits, axis=0)
    print(f"{size:4} px: symmetric {plain:.0f} %, from Jeffreys' intervals {jeffreys:.0f} %")

# %% [markdown]
# x


# %% rsedu={"id": "sample_size"}
def sample_size(shares, strata_ha, half_ha):
    """Pixels to look up for an interval of a given length.

    Args:
        shares: (strata,) float, the share of each stratum that is thought to be lost, 0 to 1.
        strata_ha: (strata,) float, hectares of each stratum.
        half_ha: hectares from the estimate to each end of its 95 % interval.

    Returns:
        int, pixels in all strata together, if each gets as many as is best for it.
    """
    ### BEGIN SOLUTION
    spread = (strata_ha * np.sqrt(shares * (1 - shares))).sum()
    return int(np.ceil((spread / (half_ha / 1.96)) ** 2))
    ### END SOLUTION


rsedu.check("sample_size", sample_size)
sample_size = rsedu.checkpoint("sample_size", sample_size)

# %%
shares = np.array([0.003, 0.96])
for half_ha in (20, 10, 5):
    n = sample_size(shares, strata_ha, half_ha)
    print(f"{area_ha:.0f} ha +- {half_ha:2}: {n:5} px, {n / 60:.1f} hours at one a minute")
blind = sample_size(np.array([0.042]), np.array([1600.0]), 10)
print(f"without a map, +- 10 ha: {blind} px")

# %%
moved = np.roll(both, 30, axis=1)
for name, map_ in (("both", both), ("300 m too far east", moved)):
    found = scoring.score(map_, true, gsd_m=10.0)
    low, high = found.interval_ha
    print(f"{name:18}: counted {found.mapped_ha:.0f} ha, F1 {found.f1:.2f}; ", end="")
    print(f"estimated {found.estimated_ha:.0f} ha ({low:.0f} to {high:.0f})")

# %%
wanted = results.stored("08_area")["runs"]
for name in ("ndvi", "shaky", "good"):
    runs = [
        r for r in wanted if (r["map"], r["sample"], r["allocation"]) == (name, 1000, "at_least")
    ]
    off = np.mean([100 * (r["mapped_ha"] / r["true_ha"] - 1) for r in runs])
    print(
        name, f"{off:+.0f} %", [r["covered"] for r in runs], [r["covered, symmetric"] for r in runs]
    )
