# %% [markdown]
# # What do two satellites see of one place?
#
# After this notebook you will be able to
#
# - read real, paired Sentinel-1 and Sentinel-2 pixels as **physical quantities** with a place;
# - say what makes a surface bright in optical and in radar, and **measure** speckle, clouds and
#   hectares;
# - catch the five unit and axis mistakes that spoil most first projects.
#
# **45 minutes.** Needs lesson 00. Nothing is downloaded: the real pixels came with the
# installation.

# %% tags=["nbval-ignore-output"]
import math

import numpy as np
from scipy.special import digamma
from skimage.filters import threshold_otsu
from sklearn.metrics import roc_auc_score

import rsedu
from rsedu import plot
from rsedu.evaluation.intervals import interval
from rsedu.io.progress_bar import progress_bar
from rsedu.scenes import samples
from rsedu.synthetic import frontier as synthetic, land_cover

rsedu.setup("01")

# %% [markdown]
# ## Two instruments, one place
#
# **Sentinel-2** is a camera. It collects sunlight that the ground sends back, in bands from 440
# to 2200 nm, beyond what eyes see: it tells what things are *made of* (pigment, water, soil).
#
# **Sentinel-1** is a radar. It sends its own 5.5 cm waves, day and night, through cloud, and
# listens in two polarisations, VV and VH: it tells *geometry, roughness and electrical
# properties* (moisture).
#
# **Predict:** which bands have the sharpest pixels? Are they where your eyes work?

# %%
plot.panels(1, 1, title="Sentinel-2's bands", size_in=(8, 3))
plot.spectral_bands()
plot.show(
    "of 12 bands, four are 10 m (B02, B03, B04, B08), six 20 m, two 60 m; "
    "eight of them lie beyond red, where eyes see nothing."
)

# %% [markdown]
# Ground sample distance (GSD) is the side of one pixel on the ground, in metres. Blue, green, red
# and one near-infrared band have 10 m; the red edge and shortwave infrared 20 m; aerosol and
# water vapour 60 m. A "12-band Sentinel-2 image" is three grids, and somebody has to bring them
# together.
#
# The kit carries six **real** pairs from BigEarthNet: 1.2 km by 1.2 km of Europe, both sensors on
# one grid.

# %%
places = {pair.name: pair for pair in samples.pairs()}
for name, pair in places.items():
    print(f"{name:16} optical {pair.optical_date}  radar {pair.radar_date}  {pair.labels[0]}")
print(places["finland-lake"].optical)
print(places["finland-lake"].radar)

# %% [markdown]
# **Predict:** one of these places lies under snow, and one holds a lake. Which number will show
# the lake most clearly, brightness in red light or the radar echo? Run, then compare the first
# and the last column.

# %%
axes = plot.panels(
    2, 6, title="Six real places: true colour above, radar VV below", size_in=(1.3, 1.45)
)
for number, (name, pair) in enumerate(places.items()):
    plot.true_colour(pair.optical, title=name, ax=axes[number])
    plot.band(pair.radar, "VV", ax=axes[number + 6], limits=(-22, -2), bar=number == 5)
plot.show(
    "the lake (first) is the darkest thing in VV; the snow (last) is white in optical "
    "and shows little in VV."
)

# %% [markdown]
# Still water sends the radar's wave away like a mirror: almost nothing returns. Snow is the
# brightest thing in the optical row and hardly shows in the radar one, since dry snow is nearly
# transparent at 5.5 cm. Each sensor has something the other cannot see. That is the whole day in
# two rows of pictures.

# %% [markdown]
# ## From digital numbers to reflectance
#
# Files hold whole numbers. Surface reflectance is the share of sunlight that comes back, 0 to 1:
#
# $$\rho = \frac{\mathrm{DN} + \mathrm{offset}}{10\,000}, \qquad \mathrm{offset} =
# \begin{cases}-1000 & \text{from processing baseline 04.00 on}\\ 0 & \text{before}\end{cases}$$
#
# Baseline 04.00 came into force on 25 January 2022. A time series across that day jumps by 0.1 if
# you forget it: more than the whole brightness of a forest in red light. DN 0 means "no data".

# %% [markdown]
# ### Exercise: reflectance
#
# Difficulty 1 of 3 · 4 minutes · 2 points
#
# **Goal:** turn digital numbers into surface reflectance, with the offset where the baseline asks
# for it, and NaN where there are no data.


# %% rsedu={"id": "reflectance"}
def reflectance(dn, baseline):
    """Surface reflectance from Sentinel-2 Level-2A digital numbers.

    Args:
        dn: (rows, cols) uint16, digital numbers; 0 = no data.
        baseline: processing baseline, for example 2.06 or 5.09.

    Returns:
        (rows, cols) float, reflectance, about 0 to 1; NaN where there are no data.
    """
    ### BEGIN SOLUTION
    offset = -1000 if baseline >= 4 else 0
    values = (dn.astype(np.float32) + offset) / 10_000
    return np.where(dn == 0, np.nan, values)
    ### END SOLUTION


rsedu.check("reflectance", reflectance)
reflectance = rsedu.checkpoint("reflectance", reflectance)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# The digital numbers are <em>unsigned</em> whole numbers. What is 500 - 1000 in a type that has
# no minus sign?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# Go to float32 first (<code>dn.astype(np.float32)</code>), then shift, then scale, then
# <code>np.where(dn == 0, np.nan, ...)</code>.
# </details>

# %% [markdown]
# ## What leaves look like
#
# Chlorophyll swallows red light; the air-filled tissue of a leaf throws near-infrared back. No
# other common surface has this step. The normalised difference vegetation index measures it,
# whatever the illumination:
#
# $$\mathrm{NDVI} = \frac{\rho_\mathrm{NIR} - \rho_\mathrm{red}}
# {\rho_\mathrm{NIR} + \rho_\mathrm{red}} \in [-1, 1]$$
#
# Near-infrared is B08, red is B04.

# %% [markdown]
# ### Exercise: NDVI
#
# Difficulty 1 of 3 · 3 minutes · 2 points
#
# **Goal:** the index of two bands, pixel by pixel.


# %% rsedu={"id": "ndvi"}
def ndvi(red, nir):
    """Normalised difference vegetation index.

    Args:
        red: (rows, cols) float, reflectance in B04.
        nir: (rows, cols) float, reflectance in B08.

    Returns:
        (rows, cols) float in [-1, 1].
    """
    ### BEGIN SOLUTION
    return (nir - red) / (nir + red)
    ### END SOLUTION


rsedu.check("ndvi", ndvi)
ndvi = rsedu.checkpoint("ndvi", ndvi)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Division binds tighter than minus: where do you need brackets?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# Dense forest must come out near +0.8, water below 0.
# </details>

# %% [markdown]
# **Predict:** in false colour (near-infrared shown as red), will the farmland's bare fields look
# red or blue-grey? And where in this picture will NDVI be highest?

# %%
farm = places["austria-fields"].optical
farm_ndvi = ndvi(farm.band("B04"), farm.band("B08"))
axes = plot.panels(1, 3, title="Farmland in June, three ways")
plot.true_colour(farm, ax=axes[0])
plot.false_colour(farm, ax=axes[1])
plot.index_map(farm_ndvi, farm, label="NDVI", title="NDVI", ax=axes[2], limits=(-1, 1))
plot.show(
    "living fields are red in false colour and have an NDVI near 0.9, bare soil near 0.2; "
    f"the median is {np.median(farm_ndvi):.2f}."
)

# %% [markdown]
# Red in false colour *is* high near-infrared; bare soil reflects both bands alike and looks
# blue-grey.
#
# **Break it.** Suppose the product came with baseline 05.09 and somebody read it as 02.06. Every
# digital number is then 1000 too large. A ratio should not care much. **Predict** the median
# NDVI.

# %%
numbers = (np.round(farm.array * 10_000) + 1000).astype(np.uint16)
for baseline in (5.09, 2.06):
    red, nir = (reflectance(numbers[farm.bands.index(name)], baseline) for name in ("B04", "B08"))
    print(f"read as baseline {baseline:.2f}: median NDVI {np.median(ndvi(red, nir)):.2f}")

# %% [markdown]
# 0.61 becomes 0.41: a third of the farmland's leaves vanish by a forgotten subtraction, and no
# error is raised. A ratio forgives a wrong *factor*; it does not forgive a wrong *offset*.
#
# **Break it again.** NDVI is called "vegetation index", so the same kind of forest should keep
# its value. The two Finnish places hold conifers and lie 22 km apart: one was seen in September,
# the other in February. **Predict** both medians, for NDVI and for VH.

# %%
for season, name in (("September", "finland-lake"), ("February", "finland-snow")):
    pair = places[name]
    values = ndvi(pair.optical.band("B04"), pair.optical.band("B08"))
    print(
        f"{season:9}  median NDVI {np.median(values):5.2f}"
        f"   median VH {np.median(pair.radar.band('VH')):6.1f} dB"
        f"   median VV {np.median(pair.radar.band('VV')):6.1f} dB"
    )

# %% [markdown]
# NDVI collapses from 0.72 to 0.14 and calls the winter forest bare ground; VH stays within 0.1
# dB. But see VV: it rose by 2.6 dB. Two places are not one experiment, and a low NDVI is not a
# felled forest: **snow, cloud, drought and chainsaws all lower it.** Keep this in mind when you
# map clearings this afternoon.

# %% [markdown]
# ## What the radar hears: power, decibels, speckle
#
# A radar image holds backscatter sigma0, the echo's power per unit area. It spans a factor of
# thousands, so it is shown in decibels, $10\log_{10}\sigma^0$. VV echoes mostly from surfaces; VH
# needs a wave whose polarisation was *turned*, which leaves and branches do by bouncing it about:
# VH is the forest's channel.
#
# A radar index in **power**, not decibels: $\mathrm{RVI} =
# 4\,\mathrm{VH}/(\mathrm{VV}+\mathrm{VH})$.

# %%
lake = places["finland-lake"].radar
power = lake.to_linear()
rvi = 4 * power.band("VH") / (power.band("VV") + power.band("VH"))
axes = plot.panels(1, 3, title="Lake and forest in radar")
plot.band(lake, "VV", ax=axes[0])
plot.band(lake, "VH", ax=axes[1])
plot.index_map(rvi, lake, label="RVI", title="radar vegetation index", ax=axes[2], cmap="cividis")
plot.show(
    f"the lake is dark in VV and VH, the median VH is {np.median(lake.band('VH')):.1f} dB, "
    "all is grainy, and the index is highest over water."
)

# %% [markdown]
# Something is wrong on the right: the "vegetation" index is higher on the lake (median 1.3) than
# in the forest (0.9). VH over the water is -24 dB, below the noise of -22 dB that the instrument
# is allowed. A ratio of noise to almost nothing is no vegetation: look at the power too.

# %% [markdown]
# The grain everywhere is **speckle**. A pixel holds many scatterers whose waves add with random
# phase, so power over even ground varies as if drawn from a Gamma distribution. Averaging $L$
# independent looks shrinks it. On an even surface the *equivalent number of looks* (ENL) tells
# how many looks a picture is worth:
#
# $$\mathrm{ENL} = \frac{\mathrm{mean}(P)^2}{\mathrm{var}(P)}, \qquad P \text{ in power units}$$
#
# One look: speckle as large as the signal.

# %% [markdown]
# ### Exercise: how many looks?
#
# Difficulty 1 of 3 · 4 minutes · 2 points
#
# **Goal:** one number for the whole window.


# %% rsedu={"id": "equivalent_looks"}
def equivalent_looks(power):
    """Equivalent number of looks of an even surface.

    Args:
        power: (rows, cols) float, backscatter sigma0 as power (not dB), > 0.

    Returns:
        Number of looks, > 0.
    """
    ### BEGIN SOLUTION
    return power.mean() ** 2 / power.var()
    ### END SOLUTION


rsedu.check("equivalent_looks", equivalent_looks)
equivalent_looks = rsedu.checkpoint("equivalent_looks", equivalent_looks)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# One number for the whole window: mean and variance over all pixels.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# More speckle must give a smaller number.
# </details>

# %% [markdown]
# ESA's table gives 4.4 looks for this product (Interferometric Wide, Ground Range Detected, high
# resolution). **Predict** what a 24 x 24 pixel window of even forest or field will give, in each
# of the six places. We take the window in which *NDVI* varies least, so that radar does not
# choose its own exam question.


# %%
def even_window(pair, size=24):
    """The window of `size` pixels in which NDVI has the least spread, as (rows, cols) slices."""
    values = ndvi(pair.optical.band("B04"), pair.optical.band("B08"))
    starts = range(0, values.shape[0] - size + 1, 4)
    windows = [(slice(r, r + size), slice(c, c + size)) for r in starts for c in starts]
    return min(windows, key=lambda window: values[window].std())


even = {name: pair.radar.to_linear().band("VV")[even_window(pair)] for name, pair in places.items()}
for name, window in even.items():
    print(f"{name:16} {equivalent_looks(window):4.1f} looks")

# %% [markdown]
# Five of six places lie at 3.1 to 5.3, around the official figure; the Austrian fields say 1.0,
# far too low. Even in NDVI does not mean even for radar: something bright stands in that window.
# **ENL is only the speckle's where the ground is even**; anything else adds variance. From here
# on we take the Finnish forest.

# %% [markdown]
# ### Exercise: multi-looking
#
# Difficulty 2 of 3 · 6 minutes · 3 points
#
# **Goal:** trade resolution for calm: average blocks of n x n pixels of **power**. Rows and
# columns that do not fill a block are dropped at the bottom and the right.


# %% rsedu={"id": "multilook"}
def multilook(power, n):
    """Average blocks of n x n pixels.

    Args:
        power: (rows, cols) float, backscatter sigma0 as power.
        n: block side in pixels, >= 1.

    Returns:
        (rows // n, cols // n) float, power.
    """
    ### BEGIN SOLUTION
    rows, cols = power.shape[0] // n, power.shape[1] // n
    blocks = power[: rows * n, : cols * n].reshape(rows, n, cols, n)
    return blocks.mean(axis=(1, 3))
    ### END SOLUTION


rsedu.check("multilook", multilook)
multilook = rsedu.checkpoint("multilook", multilook)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Reshape (rows, cols) to (rows/n, n, cols/n, n). Which two axes are inside a block?
# </details>
# <details>
# <summary>Hint 2</summary>
#
# <code>power[:R*n, :C*n].reshape(R, n, C, n).mean(axis=(1, 3))</code>
# </details>

# %% [markdown]
# **Predict:** 2 x 2 blocks average four pixels. Four times the looks? We ask a real forest, and
# Gamma noise whose pixels are independent for certain: 200 windows of it, for an interval.

# %%
rng = np.random.default_rng(0)
sides = [1, 2, 3, 4]
forest = [equivalent_looks(multilook(even["finland-lake"], n)) for n in sides]
noise = rng.gamma(4.4, 1 / 4.4, size=(200, 24, 24))
drawn = np.array([[equivalent_looks(multilook(window, n)) for n in sides] for window in noise])
low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
for n, real, lo, hi in zip(sides, forest, low, high, strict=True):
    print(f"{n} x {n}:  real forest {real:5.1f}   independent pixels {lo:5.1f} to {hi:5.1f}")

# %%
axes = plot.panels(1, 3, title="One forest, VV, fewer and fewer speckles")
vv = power.band("VV")
for ax, n in zip(axes, (1, 2, 4), strict=True):
    looks_db = 10 * np.log10(multilook(vv, n))
    plot.index_map(
        looks_db,
        lake.resample(gsd_m=10 * n),
        label="sigma0 (dB)",
        title=f"{n} x {n}",
        ax=ax,
        cmap="gray",
        limits=(-22, -4),
    )
plot.show("from 10 m to 40 m the grain fades, and so do the lake's bays: calm is paid in detail.")

# %% [markdown]
# The independent pixels gain a factor of 4 from 2 x 2; the real forest gains only about 1.3.
# Nobody cheated: the product's *resolution* is about 20 x 22 m, but its pixels stand every 10 m,
# so neighbours share the same speckle. **Pixel spacing is not resolution.** Four real pixels are
# hardly more than one look.
#
# A second trap: averaging decibels. The mean of a logarithm lies below the logarithm of the mean.

# %%
in_power = 10 * np.log10(even["finland-lake"].mean())
in_db = (10 * np.log10(even["finland-lake"])).mean()
expected = 10 / math.log(10) * (math.log(4.4) - digamma(4.4))
print(
    f"mean of power {in_power:.2f} dB, mean of decibels {in_db:.2f} dB: "
    f"{in_power - in_db:.2f} dB too low"
)
print(f"theory for 4.4 looks of Gamma speckle: {expected:.2f} dB")

# %% [markdown]
# Half a decibel is as large as many changes that people publish. The kit's `Scene.resample`
# therefore averages radar in power and only then goes back to decibels.

# %% [markdown]
# ## One grid: which pixel is where?
#
# A raster knows its place through six numbers, the affine transform: pixel (col, row) to map (x,
# y) in metres,
#
# $$x = a\,\mathrm{col} + c, \qquad y = e\,\mathrm{row} + f, \qquad
# a = \text{GSD},\; e = -\text{GSD}$$
#
# $(c, f)$ is the *outer corner* of the first pixel, not its centre. Rows count **down**,
# northings count **up**: hence the minus. Arrays are indexed `[row, col]`, points are written (x,
# y): the order turns round.

# %% [markdown]
# ### Exercise: from map to pixel
#
# Difficulty 2 of 3 · 5 minutes · 3 points
#
# **Goal:** the row and column of the pixel in which a point of the map lies.


# %% rsedu={"id": "pixel_of"}
def pixel_of(x, y, transform):
    """The pixel that contains a map coordinate.

    Args:
        x: easting in metres.
        y: northing in metres.
        transform: the raster's affine, with attributes a, c (for x) and e, f (for y).

    Returns:
        (row, col), two whole numbers.
    """
    ### BEGIN SOLUTION
    col = math.floor((x - transform.c) / transform.a)
    row = math.floor((y - transform.f) / transform.e)
    return row, col
    ### END SOLUTION


rsedu.check("pixel_of", pixel_of)
pixel_of = rsedu.checkpoint("pixel_of", pixel_of)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Solve the two equations for col and row.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# A pixel is an area: anything from 0.0 to 0.999 lies in pixel 0, so floor, don't round.
# </details>

# %% [markdown]
# Coarser pixels come by **averaging the area**, not by picking one sample. **Predict:** bring the
# farmland to 60 m, once by area average and once by taking every sixth pixel. How far apart will
# the two NDVI maps be?

# %%
coarse = farm.resample(gsd_m=60)
averaged = ndvi(coarse.band("B04"), coarse.band("B08"))
picked = farm_ndvi[3::6, 3::6]
mean_of_index = multilook(farm_ndvi, 6)
axes = plot.panels(1, 2, title="NDVI of farmland at 60 m")
plot.index_map(averaged, coarse, label="NDVI", title="area average", ax=axes[0], limits=(-1, 1))
plot.index_map(picked, coarse, label="NDVI", title="every sixth pixel", ax=axes[1], limits=(-1, 1))
plot.show(
    f"root mean square difference {np.sqrt(np.mean((averaged - picked) ** 2)):.2f}; "
    f"mean of NDVI against NDVI of means {np.sqrt(np.mean((averaged - mean_of_index) ** 2)):.2f}."
)

# %% [markdown]
# Picking pixels invents field edges and loses roads; the difference is as large as many a change
# signal. Even the order matters a little: NDVI of averaged reflectance is not the average of
# NDVI. Fix your order, and say which.

# %% [markdown]
# ## Clouds, and the synthetic frontier
#
# The Amazon's wet season hides the ground for weeks. To *measure* what a cloud costs we need the
# truth under it, which no photograph gives. So we leave real data for a while, and say so:
# **everything in this section is synthetic.** The kit's frontier is a made-up place drawn from a
# seed: forest, river, fishbone roads, pasture, clearings that grow with the years, seen by a
# simulated Sentinel-2 and a simulated Sentinel-1.
#
# **Predict:** what will a cloud do to the radar picture?

# %%
frontier = synthetic.Frontier(seed=1, size_m=5120)
clear = frontier.optical(date=2023.5)
cloudy = frontier.optical(date=2023.5, cloud_cover=0.5)
axes = plot.panels(1, 4, title="The synthetic frontier", size_in=(2.6, 2.7))
plot.true_colour(clear, title="clear", ax=axes[0])
plot.true_colour(cloudy, title="half under cloud", like=clear, ax=axes[1])
plot.band(frontier.radar(date=2023.5), "VH", ax=axes[2])
truth = frontier.truth(date=2023.5)
plot.class_map(
    truth.classes,
    clear,
    names=land_cover.CLASSES,
    colours=land_cover.COLOURS,
    title="truth",
    ax=axes[3],
)
plot.show(f"{(truth.clearings > 0).mean():.0%} of this synthetic place was cleared by mid-2023.")

# %% [markdown]
# Clearings are bright in true colour and dark in VH, since a field has few branches that turn the
# wave. The radar picture has no clouds in it: at 5.5 cm they are transparent.
#
# Take bare clearings and pasture against forest. How often does a random cleared pixel look more
# cleared than a random forest pixel? That is the *area under the ROC curve* (AUC): 1 is perfect,
# 0.5 a coin.
#
# **Predict:** draw two curves over the cloud cover, 0 to 100 %: AUC of NDVI, AUC of VH. Where do
# they cross?


# %%
def separability(seed, cloud_cover):
    """AUC of NDVI and of VH for open ground against forest, in one synthetic place."""
    place = synthetic.Frontier(seed=seed, size_m=5120)
    optical = place.optical(date=2023.5, cloud_cover=cloud_cover)
    radar = place.radar(date=2023.5)
    classes = place.truth(date=2023.5).classes
    is_open = np.isin(classes, (land_cover.CLEARING, land_cover.PASTURE))
    used = is_open | (classes == land_cover.FOREST)
    greenness = ndvi(optical.band("B04"), optical.band("B08"))
    return [roc_auc_score(is_open[used], -values[used]) for values in (greenness, radar.band("VH"))]


covers = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
seeds = range(5)
runs = [(seed, share) for share in covers for seed in seeds]
aucs = np.reshape([separability(*run) for run in progress_bar(runs)], (len(covers), len(seeds), 2))

# %%
[ax] = plot.panels(1, 1, title="Open ground against forest, synthetic, 5 places", size_in=(6, 3.4))
for sensor, name in enumerate(("NDVI", "VH")):
    found = [interval(values) for values in aucs[:, :, sensor]]
    half = [each.high - each.mean for each in found]
    shares = [100 * share for share in covers]
    plot.curve(shares, [each.mean for each in found], half, label=name, colour=plot.COLOURS[sensor])
    print(f"{name:4}", *(f"{each.mean:.2f}" for each in found))
ax.set(xlabel="cloud cover (%)", ylabel="AUC (0.5 = chance)")
ax.legend()
wins = aucs.mean(axis=1).argmax(axis=1)
plot.show(
    f"under clear sky {('NDVI', 'VH')[wins[0]]} separates better; VH does from "
    f"{100 * covers[wins.argmax()]:.0f} % of cloud on; bands: 95 % intervals over places."
)

# %% [markdown]
# Under a clear sky NDVI reaches 0.99 and VH, kept back by its speckle, 0.92. The curves cross
# where one pixel in twenty is cloudy; at half cover NDVI is hardly better than a coin, and how
# bad it is depends on where the clouds happen to stand: the band is wide.
#
# Be fair to the optical sensor: whoever *finds* the clouds and leaves them out is not misled,
# only blind there until a better day. The choice is between waiting and listening.

# %% [markdown]
# ## How much forest is gone?
#
# Back to **real** pixels, and to this afternoon's question. The kit's last sample is a Sentinel-2
# scene of forest with clearings, 3 x 3 km; its publisher does not say where, so neither do we. A
# mask of cleared ground becomes an area through the size of a pixel, and foresters count in
# hectares: 1 ha = 10 000 square metres.

# %% [markdown]
# ### Exercise: hectares
#
# Difficulty 1 of 3 · 3 minutes · 2 points
#
# **Goal:** count the ground under the True pixels.


# %% rsedu={"id": "hectares"}
def hectares(mask, gsd_m):
    """Area of the True pixels.

    Args:
        mask: (rows, cols) bool.
        gsd_m: ground sample distance in metres.

    Returns:
        Area in hectares, one number.
    """
    ### BEGIN SOLUTION
    return mask.sum() * gsd_m**2 / 10_000
    ### END SOLUTION


rsedu.check("hectares", hectares)
hectares = rsedu.checkpoint("hectares", hectares)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# A pixel is <code>gsd_m</code> long <em>and</em> wide.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# At 10 m, 100 pixels make a hectare. At 20 m?
# </details>

# %% [markdown]
# Forest and open ground make two humps in the histogram of NDVI; Otsu's method puts the threshold
# into the valley, without a label. **Predict:** what will change the hectares more, pixels of 60
# m instead of 10 m, or a threshold that is off by 0.05?

# %%
scene = samples.clearing()
values = ndvi(scene.band("B04"), scene.band("B08"))
threshold = threshold_otsu(values)
axes = plot.panels(1, 3, title="A real scene of forest with clearings")
plot.false_colour(scene, ax=axes[0])
axes[1].hist(values.ravel(), bins=60, color=plot.COLOURS[0])
axes[1].axvline(threshold, color=plot.COLOURS[1])
axes[1].set(xlabel="NDVI", ylabel="pixels", title="two humps")
plot.index_map(
    (values < threshold).astype(float),
    scene,
    label="1 = open ground",
    title="below the threshold",
    ax=axes[2],
    cmap="cividis",
)
plot.show(
    f"the threshold is {threshold:.2f}; "
    f"{hectares(values < threshold, 10):.0f} of 900 ha lie below it."
)

# %%
for gsd_m in (10, 20, 30, 60, 100):
    coarse = scene.resample(gsd_m=gsd_m)
    open_ground = ndvi(coarse.band("B04"), coarse.band("B08")) < threshold
    print(f"{gsd_m:4} m pixels: {hectares(open_ground, gsd_m):5.0f} ha")
for shift in (-0.05, 0.05):
    print(f"threshold {shift:+.2f}: {hectares(values < threshold + shift, 10):5.0f} ha")

# %% [markdown]
# From 10 m to 100 m the area moves by 4 %, from 499 to 518 ha. A threshold off by 0.05 moves it
# by 30 ha downwards and 27 upwards, 6 %. Here **the question "what counts as open?" is larger
# than the question "how fine are the pixels?"** Whoever reports one number without saying what a
# small change of the threshold would do has not finished. Where clearings are narrower than a
# pixel the order turns round.

# %% [markdown]
# ## How fake is the frontier?
#
# Later lessons train on synthetic places, because there we know the truth. Whoever does this owes
# you a comparison. Two simple ones: how bright is the typical pixel in each band, and which bands
# rise and fall together?
#
# **Predict:** which of the two will give the fake away?

# %%
real = [pair.optical for pair in samples.pairs() if not pair.snow]
left, middle, right = plot.panels(
    1, 3, title="Real patches and a synthetic one", size_in=(3.6, 3.2)
)
for scene in real:
    left.plot(scene.bands, np.median(scene.array, axis=(1, 2)), color="0.6")
left.plot(clear.bands, np.median(clear.array, axis=(1, 2)), color=plot.COLOURS[1], linewidth=2)
left.set(title="medians: real grey, synthetic orange", ylabel="surface reflectance")
left.tick_params(axis="x", rotation=90, labelsize="x-small")
together = [np.corrcoef(each.array.reshape(12, -1)) for each in (*real, clear)]
real_mean, fake = np.mean(together[:-1], axis=0), together[-1]
plot.correlation(real_mean, clear.bands, title="real, mean of five", ax=middle, bar=False)
plot.correlation(fake, clear.bands, title="synthetic", ax=right)
alone = [np.abs(one - real_mean).mean() for one in together[:-1]]
plot.show(
    f"correlations: synthetic and real mean are {np.abs(real_mean - fake).mean():.2f} apart, "
    f"single real patches and their mean {min(alone):.2f} to {max(alone):.2f}."
)

# %% [markdown]
# Brightness would pass: the synthetic medians lie among the real ones. So would the
# correlations at a glance, since real patches differ more among themselves. Look at the dark
# block: in the synthetic place the near infrared bands move in lockstep, in real ones they part
# a little. Eight spectra are fewer than nature has. (Its radar echo, set by hand, is about 1 dB
# brighter than that of any of the five, which are European.) So: **a method that fails on the
# frontier will fail outside; one that works there has yet to be tried.**

# %% [markdown]
# ## What we saw, and what it does not show
#
# - Optical tells material, radar tells structure; each is blind where the other is not: snow,
#   cloud, night.
# - Units first: reflectance with its offset, power before decibels, area before averages.
# - Speckle shrinks with *independent* looks; pixel spacing is not resolution.
# - Six European patches and one scene without a place show instruments, not the Amazon; the
#   frontier shows what a measurement would look like, not what it would give. NDVI below a
#   threshold is open ground, not proof of a felled forest.
#
# **References.** G. Sumbul et al., BigEarthNet-MM, IEEE GRSM 9(3), 2021. C. Tucker, Remote
# Sensing of Environment 8, 1979 (NDVI). N. Otsu, IEEE Trans. SMC 9, 1979. J. W. Goodman, J. Opt.
# Soc. Am. 66, 1976 (speckle). ESA, Sentinel-1 and Sentinel-2 user guides.
#
# **Next:** lesson 02 hides three quarters of an image and asks a model to paint it back.

# %%
rsedu.progress("01")
