"""What grows and stands on the synthetic frontier, and what each Sentinel would measure of it.

Every number here is SYNTHETIC. Reflectances were set by hand so that their order of magnitude and
their shape (chlorophyll in the red, the red edge, leaf water beyond 1.4 um, soil rising with
wavelength, silty water) are those of the real pairs that the kit carries; backscatter likewise,
from the real pairs and from what is generally reported for C-band over tropical forest and pasture.
They are good for teaching and for training on this world, and prove nothing about the Amazon.
For what Sentinel-1 measures there, see J. Doblas et al., "Optimizing Near Real-Time Detection of
Deforestation on Tropical Rainforests Using Sentinel-1 Data", Remote Sensing 12 (23), 3922, 2020.
"""

from dataclasses import dataclass

import numpy as np

from rsedu.scenes.bands import S2_BANDS


@dataclass(frozen=True, kw_only=True)
class Cover:
    """One land cover class.

    Attributes:
        name: as shown in legends.
        colour: for maps; told apart by colour-blind readers (after Okabe and Ito).
        reflectance: mean surface reflectance of the 12 bands of `S2_BANDS`, 0 to 1.
        vv_db: mean backscatter sigma0 in VV, dB.
        vh_db: mean backscatter sigma0 in VH, dB.
        texture: relative deviation of its brightness from crown to crown or roof to roof.
    """

    name: str
    colour: str
    reflectance: tuple[float, ...]
    vv_db: float
    vh_db: float
    texture: float


# Bands:           B01   B02   B03   B04   B05   B06   B07   B08   B8A   B09   B11   B12
_FOREST = (0.018, 0.022, 0.042, 0.024, 0.066, 0.205, 0.265, 0.285, 0.297, 0.305, 0.150, 0.066)
_WATER = (0.062, 0.066, 0.084, 0.074, 0.064, 0.038, 0.034, 0.028, 0.024, 0.022, 0.012, 0.009)
_ROAD = (0.060, 0.078, 0.118, 0.172, 0.204, 0.222, 0.238, 0.252, 0.264, 0.270, 0.345, 0.285)
_SETTLEMENT = (0.085, 0.100, 0.128, 0.146, 0.166, 0.194, 0.210, 0.226, 0.234, 0.240, 0.262, 0.228)
_CLEARING = (0.042, 0.052, 0.078, 0.104, 0.134, 0.156, 0.172, 0.186, 0.202, 0.208, 0.285, 0.232)
_PASTURE = (0.030, 0.038, 0.072, 0.062, 0.120, 0.226, 0.264, 0.280, 0.296, 0.300, 0.262, 0.150)
_CROP = (0.026, 0.031, 0.066, 0.036, 0.106, 0.326, 0.415, 0.435, 0.450, 0.455, 0.228, 0.112)
_REGROWTH = (0.020, 0.024, 0.050, 0.029, 0.082, 0.258, 0.330, 0.345, 0.358, 0.364, 0.186, 0.086)

COVERS: tuple[Cover, ...] = (
    Cover(
        name="forest", colour="#009E73", reflectance=_FOREST, vv_db=-8.0, vh_db=-13.5, texture=0.16
    ),
    Cover(
        name="water", colour="#0072B2", reflectance=_WATER, vv_db=-20.0, vh_db=-26.5, texture=0.04
    ),
    Cover(name="road", colour="#000000", reflectance=_ROAD, vv_db=-14.0, vh_db=-21.0, texture=0.06),
    Cover(
        name="settlement",
        colour="#CC79A7",
        reflectance=_SETTLEMENT,
        vv_db=-4.5,
        vh_db=-12.0,
        texture=0.35,
    ),
    Cover(
        name="clearing",
        colour="#D55E00",
        reflectance=_CLEARING,
        vv_db=-10.8,
        vh_db=-17.5,
        texture=0.14,
    ),
    Cover(
        name="pasture",
        colour="#F0E442",
        reflectance=_PASTURE,
        vv_db=-11.2,
        vh_db=-18.0,
        texture=0.08,
    ),
    Cover(name="crop", colour="#E69F00", reflectance=_CROP, vv_db=-10.4, vh_db=-16.4, texture=0.05),
    Cover(
        name="regrowth",
        colour="#56B4E9",
        reflectance=_REGROWTH,
        vv_db=-8.8,
        vh_db=-14.6,
        texture=0.12,
    ),
)
CLASSES: tuple[str, ...] = tuple(cover.name for cover in COVERS)
COLOURS: tuple[str, ...] = tuple(cover.colour for cover in COVERS)
FOREST, WATER, ROAD, SETTLEMENT, CLEARING, PASTURE, CROP, REGROWTH = range(len(COVERS))

# A thick cloud, white and even, with a little ice absorption in the shortwave infrared.
CLOUD = np.array(
    [0.62, 0.60, 0.58, 0.57, 0.58, 0.59, 0.60, 0.60, 0.60, 0.52, 0.42, 0.33], dtype=np.float32
)
assert all(len(cover.reflectance) == len(S2_BANDS) == len(CLOUD) for cover in COVERS)
