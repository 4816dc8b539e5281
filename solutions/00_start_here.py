# %% [markdown]
# # Why go beyond vision and language?
#
# After this notebook you will be able to
#
# - say what a picture and its caption leave out of a satellite measurement;
# - read what a check tells you, and mend the answer that it looked at;
# - find your way around the nine lessons, and out of a place where you are stuck.
#
# **10 minutes.** Needs some Python and some numpy; no GPU, no account, no network.

# %% [markdown]
# ## The machine
#
# `rsedu.setup` says on what this lesson runs and why, sets the seeds, so that your numbers are
# those in the text, and picks the *profile*: `small` is sized for a laptop, `full` for a GPU.
# Run the cell with Shift+Enter.

# %% tags=["nbval-ignore-output"]
import numpy as np

import rsedu

rsedu.setup("00")

# %% [markdown]
# Five lines under the title, and no error: everything is in place. If a line surprises you, type
# `rsedu doctor` in a terminal. It looks at everything the lessons need and says, for each thing
# that is missing, what to do about it.

# %% [markdown]
# ## What does a caption leave out?
#
# Models of vision and language learn from pictures with captions. That works for cats. Now take a
# patch of forest 1.2 km wide. Sentinel-2 measures 12 bands of reflected sunlight there, most of
# which no eye sees, and Sentinel-1 measures two channels of radar echo. On a grid of 10 m that is
# 120 by 120 pixels.
#
# A caption could read "forest with a clearing". **What do you expect:** how many measured numbers
# stand behind each letter of it?

# %%
caption = "forest with a clearing"
numbers = 120 * 120 * (12 + 2)
letters = sum(letter.isalpha() for letter in caption)
print(f"{numbers} numbers, {letters} letters: {numbers / letters:.0f} numbers for each letter")

# %% [markdown]
# More than ten thousand numbers for each letter, and the caption still doesn't say how large the
# clearing is, when it was cut, or whether grass grows on it already. Text has no words as fine as
# that, and few of the right ones: nobody captions the echo of a wet canopy at a wavelength of
# 5.5 cm. The meaning is in the measurements, and so we learn from those.

# %% [markdown]
# ## Three ideas for the day
#
# **Domain challenges.** A satellite image is no photograph. A pixel has a size in metres, a band
# has a wavelength, radar has speckle, optical images have clouds. A model that ignores this fails
# without a warning.
#
# **Pre-training.** Labels are rare and pixels are plenty. A model that fills in hidden parts of an
# image, or finds the radar patch that belongs to an optical one, has to learn what a forest looks
# like, and needs no label for it.
#
# **Zero-shot.** A model trained that way may be asked for something that it was never trained on,
# by a click or by one example.

# %% [markdown]
# ## One story: a forest and its edge
#
# All lessons follow one question: how much of the Amazon forest was cut here, and when? Brazil's
# space agency INPE has mapped clear-cutting from satellite images every year since 1988. It is a
# hard case and a good one: for months, clouds hide the ground from optical sensors, and radar sees
# through them; clearings are of all sizes; and few people have the time to draw outlines.
#
# You will work on real Sentinel pixels, and on a *synthetic* forest frontier, where the truth is
# known because the kit made it. The text always says which.

# %% [markdown]
# | | Question | Minutes | In this kit |
# |---|---|---|---|
# | 00 | Why go beyond vision and language? | 10 | you are here |
# | 01 | [What do two satellites see of one place?](01_sentinels.ipynb) | 45 | yes |
# | 02 | What can be learnt from pixels without labels? | | planned |
# | 03 | Does a model know how large a pixel is? | | planned |
# | 04 | Which detail belongs to which scale? | | planned |
# | 05 | Can radar and optical images teach each other? | | planned |
# | 06 | Can a click outline a clearing? | | planned |
# | 07 | Is one example enough to find the others? | | planned |
# | 08 | How much forest was lost, and when? | | planned |

# %% [markdown]
# ## How does an exercise work?
#
# You write a function, `rsedu.check` looks at it, and tells you what it found. It never stops the
# notebook. To see it talk, here is an answer that is **wrong on purpose**.
#
# Radar echoes span a range of a thousand to one and more, so they are given in decibels:
#
# $$ L = 10 \, \log_{10} P $$
#
# where $P$ is the backscattered power (linear, no unit, above 0) and $L$ its level in dB. Ten times
# the power is 10 dB more. The function below has 20 in place of 10. **What do you expect** the
# check to say?


# %% rsedu={"id": "to_db", "role": "demonstration"}
def to_db_wrong(power: np.ndarray) -> np.ndarray:
    """Convert power, linear and above 0, to dB; wrong on purpose."""
    return 20 * np.log10(power)


rsedu.check("to_db", to_db_wrong)

# %% [markdown]
# Three things to read. The first words are the *state*: not started, error, wrong kind (type or
# shape), wrong value, or passed. Then comes the likely mistake, here the rule for amplitudes. The
# last line gives the input and the first place where your value differs: `[1]` is the second
# element, a power of 10, which is 10 dB and not 20.

# %% [markdown]
# ### Exercise: power in decibels
#
# Difficulty 1 of 3 · 3 minutes · 1 point
#
# **Goal:** convert an array of powers, of any shape, to decibels.
#
# Write it below, and run the cell. Its last line hands on *your* function if it passed. If not, it
# says so and hands on the kit's, without points: whatever you leave open, the notebook runs on.


# %% rsedu={"id": "to_db"}
def to_db(power: np.ndarray) -> np.ndarray:
    """Convert power, linear and above 0, any shape, to dB, in the same shape."""
    ### BEGIN SOLUTION
    return 10 * np.log10(power)
    ### END SOLUTION


rsedu.check("to_db", to_db)
to_db = rsedu.checkpoint("to_db", to_db)

# %% [markdown]
# <details>
# <summary>Hint 1</summary>
#
# Start from the wrong answer above, and read again what the check said of it.
# </details>
# <details>
# <summary>Hint 2</summary>
#
# `np.log` and `np.log10` are two functions. Try the other one too, and see how the check replies.
# </details>

# %% [markdown]
# ## Where does the formula break?
#
# Shadow behind a steep slope sends back almost nothing. **What do you expect** of a power that is
# halved, and of one that is zero?

# %%
with np.errstate(divide="ignore"):
    for power in (1.0, 0.5, 0.01, 0.0):
        print(f"power {power:<5} is {to_db(np.array([power]))[0]:6.1f} dB")

# %% [markdown]
# Half the power is 3 dB less, a hundredth is 20 dB less, and zero has no level at all: the
# logarithm runs off to minus infinity. One such pixel spoils every mean that is taken over it. In
# lesson 01 you will meet the pixels' own way of saying "nothing here", a mask.

# %% [markdown]
# ## Where things are, and what to do when stuck
#
# - `notebooks/` is yours to change; `solutions/` holds the same lessons, solved and executed.
# - `rsedu/` is the code behind the lessons, written to be read.
# - **A check that you can't satisfy:** read its last line, then unfold the hints, then look into
#   `solutions/`. Going on first is fine.
# - **Strange errors after jumping around:** Kernel > Restart Kernel and Run All Cells.
# - **Anything about the installation:** `rsedu doctor`.
#
# What you passed is kept in a file, `.rsedu/progress.json`, beside the notebook. It survives a
# restart, and the next cell reads it.

# %%
rsedu.progress("00")

# %% [markdown]
# ## What we saw
#
# A caption is thousands of times smaller than what two satellites measure, so the day's models
# learn from measurements. A check names the state, the likely mistake, and the first place that
# differs.
#
# **What this does not show:** that a caption is useless. Counting numbers isn't measuring
# information; neighbouring pixels are alike, and you will see by how much.
#
# **Next:** [01, what do two satellites see of one place?](01_sentinels.ipynb)
