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
from rsedu.course import results
from rsedu.evaluation import area
from rsedu.project import figure, score as scoring
from rsedu.project.methods import baselines
from rsedu.project.place import Place
from rsedu.project.report import Report, how_sure
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
# | 14:00 | choose a track, open its starter | **1:** a baseline is on the board |
# | 14:15 | one of the three ways to beat it | |
# | 14:50 | start the map of the large place | **2:** better than it, or a reason why not |
# | 15:20 | score, report | **3:** a map of 20 x 20 km with its interval |
# | 15:40 | two minutes for each group | **4:** the page is printed |
# | 16:00 | end | |
#
# Whoever is late at checkpoint 2 maps the large place with the baseline: a whole answer of a simple
# method is worth more than half an answer of a clever one.

# %% [markdown]
# ## Six dates, four of them under clouds
#
# We practise on a **synthetic** place of 4 x 4 km: of the first twelve validation worlds the one in
# which most was lost. Both satellites look once a year; at four of six dates clouds lie over most
# of it. Whoever computes a loss has to know where the ground was seen at all.
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
axes = plot.panels(1, 3, title="SYNTHETIC place", size_in=(2.6, 2.9))
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
# the echo falls, here by 1 to 4 dB. To see that through speckle, compare the **mean power** of all
# looks before a moment with that of all looks after it:
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
# At one date a pixel is the mean of 4.4 independent echoes; a square of 5 x 5 has 110 of them and
# varies by a tenth. So each date is first averaged over its neighbours, as power again. Then we try
# all five moments between two dates. The largest fall says *whether*, the moment at which it
# happens says *when*. **Predict:** how well does one number separate lost forest from the rest?

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
# Take one pixel. Which looks can *prove* that its forest is gone, and which is the first of them?
# Which look before that one still proves the contrary?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>np.flatnonzero(gone[:, pixel] & clear[:, pixel])</code> lists the looks that show the loss;
# <code>np.flatnonzero(clear[:first, pixel])[-1]</code> is the last clear look before the first.
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
axes = plot.panels(1, 3, title="When? Each map's own years", size_in=(3.1, 2.8))
edges = np.arange(2020.5, 2026)  # from look to look, July to July
shares = []
for ax, map_, name in zip(axes, (true, by_ndvi, by_radar), ("truth", "NDVI", "radar"), strict=True):
    counts = np.histogram(map_[np.isfinite(map_)], edges)[0] / 100
    ax.bar(edges[:-1] + 0.5, counts, width=0.8, color=plot.COLOURS[0])
    ax.set(title=name, xlabel="twelve months to July of", ylabel="hectares", ylim=(0, 65))
    shares.append(100 * counts[2] / counts.sum())
plot.show(
    f"NDVI puts {shares[1]:.0f} % of its loss into the twelve months to July 2023, "
    f"truth {shares[0]:.0f} %."
)

# %% [markdown]
# A pixel that was seen in 2020 and 2025 only gets the middle, 2023.0, whatever happened. So NDVI
# finds the loss and makes up a *year of clearing* that never was: a heap in 2023 is an artefact of
# the sky. A report that said "2023 was the worst year" would be about clouds.

# %% [markdown]
# ## Is the map any good?
#
# "96 % of the pixels are right" says nothing where 96 % were not lost: a map without any loss gets
# it too. So count only change: precision is the share of the mapped loss that is one, recall the
# share of the true loss that was mapped, and
#
# $$F_1 = \frac{2}{1/\text{precision} + 1/\text{recall}} = \frac{2 \cdot \text{found}}
# {\text{mapped} + \text{true}}.$$
#
# *When* is judged apart, on the pixels that were found: the mean absolute difference in years.
#
# ### Exercise: F1 of change, and years off
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
    print(f"{name:6}: F1 {f1:.2f}, dates {apart:.2f} years off")
found = scoring.score(both, true, gsd_m=10.0)
plot.show(figure.draw(both, true, place, found))

# %% [markdown]
# By F1 all three are within two points of each other: nobody would choose by that. By years they
# are not: NDVI's dates are 1.3 years off, with the radar's clock 0.26, about as good as looks a
# year apart can be (dates spread evenly over a year lie 0.25 from its middle).
#
# And one whole clearing is black: 4.6 ha of crop, in 2025 with an NDVI of 0.85, as green as forest.
# Radar found it: a field is smoother than a forest, however green. The same F1 for quite different
# errors: radar frays all edges a little, NDVI overlooks one field altogether.

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
# Each stratum speaks for its own hectares: first its share of lost pixels among those drawn
# *there*, then its hectares. The errors of the strata are independent.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>counts.sum(axis=1)</code> is how many were drawn from each stratum. Variances add up, each
# weighted by its hectares squared; the root comes last.
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
# Look at the second number of the first row. Three of 225 pixels were lost where the map shows
# nothing: that is 1.3 % of 1536 ha, 20 ha, a quarter of the whole estimate from three pixels. The
# interval is honest about it: 59 to 106 ha. The map's own count looks much better, 64 of 67 ha,
# and says nothing about how we would know.
#
# One sample is one sample. **Predict:** of 200 doubters with 300 pixels each, how many get an
# interval that holds the truth?

# %%
truth_ha, draws = lost.sum() / 100, []
for seed in range(200):
    drawn, _ = scoring.sampled(np.isfinite(both), lost, sample=300, seed=seed)
    draws.append((*stratified_area(drawn, strata_ha), drawn[0, 1]))
middle, error, omissions = np.transpose(draws)
held = np.abs(middle - truth_ha) <= 1.96 * error
print(f"mean of 200 estimates: {middle.mean():.0f} ha; truth {truth_ha:.0f} ha")
print(f"intervals that hold the truth: {100 * held.mean():.0f} %; promised: 95 %")

# %% [markdown]
# The estimates are right in the mean, as promised. The intervals are not: hardly more than half of
# them hold the truth. Sort the samples by what they happened to meet, and see why:

# %%
(ax,) = plot.panels(1, 1, title="200 samples, by the omissions they met", size_in=(5.6, 3.2))
for count in np.unique(omissions):
    mine = omissions == count
    x = count + np.linspace(-0.35, 0.35, mine.sum())
    ax.errorbar(x, middle[mine], 1.96 * error[mine], fmt=".", markersize=3, linewidth=0.6)
ax.axhline(truth_ha, color="black", linestyle="--", label="truth")
ax.set(xlabel="lost pixels in the sample that the map had missed", ylabel="hectares, 95 %")
ax.legend(fontsize="small")
none = 100 * np.mean(omissions == 0)
plot.show(f"{none:.0f} % of the samples met no omission: their intervals are short, and too low.")

# %% [markdown]
# ## Break it: a sample that met no error
#
# The better a map, the fewer errors a sample meets. With none, $p_h (1 - p_h) = 0$, and the formula
# says: *no error at all*. Half of our doubters would have sworn to 62 ha, give or take two, because
# they found nothing. But what does it prove, to look at 225 pixels and find no loss?
#
# If a share $p$ of the stratum were lost, a sample of $n$ would meet none of it with the chance
# $(1 - p)^n$. The largest share that we cannot exclude is where that chance is still 5 %.
#
# ### Exercise: found none, so there is none?
#
# Difficulty 2 of 3 · 5 minutes · 2 points
#
# **Goal:** the most hectares that may have been missed.


# %% rsedu={"id": "most_missed_ha"}
def most_missed_ha(looked, stratum_ha):
    """Most that may be lost in a stratum of which a sample showed none.

    Args:
        looked: int, pixels that were looked up, none of them lost.
        stratum_ha: float, hectares of the stratum.

    Returns:
        float, hectares: if more than this were lost, fewer than 5 of 100 samples would have met
        none.
    """
    ### BEGIN SOLUTION
    return stratum_ha * (1 - 0.05 ** (1 / looked))
    ### END SOLUTION


rsedu.check("most_missed_ha", most_missed_ha)
most_missed_ha = rsedu.checkpoint("most_missed_ha", most_missed_ha)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Solve $(1 - p)^n = 0.05$ for $p$: take the n-th root of both sides.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# The n-th root of x is <code>x ** (1 / n)</code>; hectares are the share times
# <code>stratum_ha</code>.
# </details>

# %% [markdown]
# **Predict:** how many hectares may hide behind 225 pixels without a loss?

# %%
for looked in (75, 225, 925):
    print(f"none of {looked:3}: up to {most_missed_ha(looked, strata_ha[0]):2.0f} ha were missed")
missed_ha = (lost & ~np.isfinite(both)).sum() / 100
print(f"in truth: {missed_ha:.1f} ha")

# %% [markdown]
# About $3/n$ of the stratum, the "rule of three". Behind 225 empty looks hide up to 20 ha, a third
# of all the loss. So intervals of shares near 0 have to be lopsided: short below, long above. The
# kit puts its interval together from such ones (Jeffreys'), stratum by stratum. **Predict:** how
# often does that hold the truth, and what do 1000 pixels change?

# %%
for size in (300, 1000):
    hits = []
    for seed in range(200):
        drawn, _ = scoring.sampled(np.isfinite(both), lost, sample=size, seed=seed)
        kit, (ours, se) = area.estimate(drawn, strata_ha), stratified_area(drawn, strata_ha)
        hits.append((abs(ours - truth_ha) <= 1.96 * se, kit.low[1] <= truth_ha <= kit.high[1]))
    plain, lopsided = 100 * np.mean(hits, axis=0)
    print(f"{size:4} px: symmetric {plain:.0f} %, lopsided {lopsided:.0f} % hold the truth")

# %% [markdown]
# That is why `rsedu score` looks up 1000 pixels, and gives the lopsided interval first. The same on
# five **large** places, three maps of each, 200 samples of 1000 pixels for each map (stored by
# `python experiments/08_area.py`):

# %%
design = {"sample": 1000, "allocation": "at_least"}
runs = [run for run in results.stored("08_area")["runs"] if design.items() <= run.items()]
print("map     its count is off   lopsided holds     symmetric holds")
for name in ("ndvi", "shaky", "good"):
    mine = [run for run in runs if run["map"] == name]
    off = np.mean([100 * (run["mapped_ha"] / run["true_ha"] - 1) for run in mine])
    ends = [100 * np.sort([run[key] for run in mine]) for key in ("covered", "covered, symmetric")]
    low, high = (f"{each[0]:.0f} to {each[-1]:.0f} %" for each in ends)
    print(f"{name:8}{off:+.0f} %{low:>26}{high:>19}")

# %% [markdown]
# A map that is 21 % off gets an interval that holds the truth 95 times in a hundred, and a nearly
# perfect one has the worst symmetric interval. Whether a *number* can be trusted is decided by the
# sample; the map decides how short the interval is.
#
# ## How many pixels to look up?
#
# To find the image of one pixel and judge it costs a minute. How many are needed, so that the 95 %
# interval reaches at most $h$ hectares to each side? Given a guess of the shares $p_h$, and if each
# stratum gets as many pixels as is best for it (Cochran 1977):
#
# $$n = \left( \frac{\sum_h W_h \sqrt{p_h (1 - p_h)}}{h / 1.96} \right)^2$$
#
# ### Exercise: how many pixels to look up?
#
# Difficulty 2 of 3 · 6 minutes · 2 points
#
# **Goal:** the size of the sample.


# %% rsedu={"id": "sample_size"}
def sample_size(shares, strata_ha, half_ha):
    """Pixels to look up for an interval of a given length.

    Args:
        shares: (strata,) float, the share of each stratum that is thought to be lost, 0 to 1.
        strata_ha: (strata,) float, hectares of each stratum.
        half_ha: float, hectares from the estimate to each end of its 95 % interval.

    Returns:
        int, pixels in all strata together, rounded up.
    """
    ### BEGIN SOLUTION
    spread = (strata_ha * np.sqrt(shares * (1 - shares))).sum()
    return int(np.ceil((spread / (half_ha / 1.96)) ** 2))
    ### END SOLUTION


rsedu.check("sample_size", sample_size)
sample_size = rsedu.checkpoint("sample_size", sample_size)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Each stratum's spread is <code>np.sqrt(p * (1 - p))</code>; weigh it by hectares, sum, then
# divide.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>half_ha</code> is 1.96 standard errors. <code>int(np.ceil(...))</code> rounds up.
# </details>

# %% [markdown]
# What is a map worth, in minutes? Say that one pixel in 300 was missed, and 96 % of the mapped ones
# are right. **Predict:** how much more must be looked up *without* a map?

# %%
shares = np.array([1 / 300, 0.96])
spread = strata_ha * np.sqrt(shares * (1 - shares))  # the best way to deal pixels out
for half_ha in (20, 10, 5):
    needed = sample_size(shares, strata_ha, half_ha)
    hidden_ha = most_missed_ha(needed * spread[0] / spread.sum(), strata_ha[0])
    print(
        f"+- {half_ha:2} ha: {needed:5} px, {needed / 60:4.1f} hours at one a minute;"
        f" if none of them shows a miss, {hidden_ha:2.0f} ha may hide"
    )
needed = sample_size(np.array([0.042]), np.array([1600.0]), 10)
print(f"without a map, +- 10 ha: {needed} px, {needed / 60:.0f} hours")

# %% [markdown]
# Half the interval costs four times the work. And the map saves nine tenths of it: that is its
# worth for the hectares. Keep the number for track C, which pays for a map in clicks.
#
# Mind what you have just seen, though. The formula speaks of the *symmetric* interval, which is
# right only for samples that meet errors. With 99 pixels most samples meet no miss at all, and then
# far more than 20 ha may hide. So also ask for $n \geq 3/p$ there: 900 pixels for one in 300.
#
# ## Break it: the right hectares for the wrong reason
#
# A group is late, and something went wrong with the transform: all of its map lies 300 m too far
# east. **Predict:** what happens to the hectares on the map, to F1, and to the interval?

# %%
moved = np.roll(both, 30, axis=1)
axes = plot.panels(1, 2, title="Errors of two maps", size_in=(4.2, 3.4))
scores = {}
for ax, (name, map_) in zip(axes, {"as it was": both, "300 m east": moved}.items(), strict=True):
    scores[name] = scoring.score(map_, true, gsd_m=10.0)
    kinds = figure.errors(map_, true)
    plot.class_map(kinds, dates[0], names=figure.NAMES, colours=figure.COLOURS, title=name, ax=ax)
plot.show(f"F1 {scores['as it was'].f1:.2f} left, {scores['300 m east'].f1:.2f} right.")
for name, found in scores.items():
    low, high = found.interval_ha
    print(f"{name:10}: counted {found.mapped_ha:.0f} ha, F1 {found.f1:.2f},", end=" ")
    print(f"estimated {found.estimated_ha:.0f} ha, {low:.0f} to {high:.0f}")

# %% [markdown]
# Every hectare is there, and hardly one in its place. If only the sum is compared with a known
# number, this map is as good as the other: false alarms and omissions cancel. What gives it away is
# the sample: nearly all of the mapped pixels are no loss, and the interval is four times as long.
# The estimate itself is still honest. So: never a sum without a sample.
#
# ## Which year, with an interval?
#
# The same 1000 pixels, sorted by the year of their *true* loss, give an estimate for each year. The
# bars need no dates from the map; the diamonds are what its own dates say. **Predict:** which map's
# diamonds lie far off?

# %%
axes = plot.panels(1, 2, title="Hectares of each year", size_in=(5.0, 3.6))
for ax, (name, map_) in zip(axes, {"NDVI": by_ndvi, "both": both}.items(), strict=True):
    each_year = scoring.by_year(map_, true, place)
    figure.draw_years(each_year, ax=ax)
    ax.set(title=name, ylim=(0, 68))
plot.show(
    "NDVI's own dates (diamonds) put nearly all of the loss into one year; the sample doesn't."
)
print("year  map both  estimated     truth (ha)")
for found in each_year:
    ends = f"{found.low_ha:.0f} to {found.high_ha:.0f}"
    print(
        f"{found.year}{found.mapped_ha:8.0f}{found.estimated_ha:8.0f} ({ends}){found.true_ha:8.0f}"
    )

# %% [markdown]
# Ours lie off as well. The looks are in July, so a date of 2022.0 means "between July 2021 and July
# 2022", and half of that is 2021: a map from yearly looks cannot name a *calendar* year, and a page
# should say "July 2021 to July 2022". And does each of the six intervals hold its truth? With six
# of them at 95 %, one that doesn't is no surprise.

# %% [markdown]
# ## Choose a track
#
# Now your group. Each starter runs at once with a baseline and names three ways to beat it:
#
# | track | question | starter |
# |---|---|---|
# | A | Do features at several pixel sizes find more? | [08a](08a_scale.ipynb) |
# | B | What do two sensors know when clouds hide one? | [08b](08b_clouds.ipynb) |
# | C | How many hectares does a minute of clicking buy? | [08c](08c_clicks.ipynb) |
# | D | Does one example find the loss of a whole scene? | [08d](08d_one_shot.ipynb) |
#
# **A** for those who liked lessons 02 to 04, **B** after lesson 05, **C** after 06, **D** after 07.
# Two groups may take the same one: the scoreboard tells them apart.

# %% [markdown]
# At checkpoint 3, in a terminal (or in a cell, with `!` before it):
#
# ```bash
# rsedu score map.tif --group "Los Tucanes" --board /shared/board
# rsedu board /shared/board
# rsedu report map.tif --group "Los Tucanes" --track "B, through clouds" \
#     --method did.txt --limits not.txt --out report.html
# ```
#
# The report fills itself with numbers and figures. Two texts are yours: what you did, and what you
# would *not* use the map for. Here is the page of this notebook's own map:

# %%
today = Report(group="This notebook", track="both sensors", place=place, mapped=both)
print("written:", today.write("afternoon/report.html"))
print(how_sure(today))

# %% [markdown]
# ## What we saw, and what it does not show
#
# - Clouds hide *when*: NDVI alone was 1.3 years off, with the radar's clock a quarter. A field as
#   green as forest hides *whether*, at any date; radar hears it.
# - F1 says whether the loss was found, years say when, and neither says how many hectares.
# - Hectares come from a sample. Its estimate is right in the mean, whatever the map.
# - A symmetric interval from a sample that met hardly any error held the truth in 52 of 100 cases.
#   Finding none of $n$ excludes only shares above about $3/n$.
# - Equal sums prove nothing: a map 300 m off has the same hectares.

# %% [markdown]
# What it does **not** show: how these methods do in a real forest. The place is synthetic; its
# clearings have sharp edges, its speckle has no neighbours, and two clear optical looks at ground
# that didn't change are *equal*: no haze, no season. So F1s near 0.99 are for comparing methods
# here, and for nothing else. A look costs nothing and is always right; people who interpret images
# err and disagree, and the interval does not know that. And 4 km hold a dozen clearings.

# %% [markdown]
# **References.** P. Olofsson et al., Good practices for estimating area and assessing accuracy of
# land change, Remote Sensing of Environment 148, 2014 (equations 8 to 11: area and standard error;
# 13: sample size). W. G. Cochran, Sampling Techniques, 3rd edition, 1977 (5.25). L. D. Brown, T. T.
# Cai and A. DasGupta, Interval estimation for a binomial proportion, Statistical Science 16, 2001
# (Jeffreys' interval).
#
# **Next:** the starter of your track.

# %%
rsedu.progress("08")
