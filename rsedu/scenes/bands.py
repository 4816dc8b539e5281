"""What each band of Sentinel-1 and Sentinel-2 is: wavelength, width, native pixel, number scale.

Sources:
    Sentinel-2: centre wavelengths and bandwidths of unit A, in ESA's Sentinel-2 user guide (MSI
    instrument, radiometric resolution), which summarises the spectral response functions of
    COPE-GSEG-EOPG-TN-15-0007. Unit B differs by 1 nm or less in the visible and near infrared and
    by up to 17 nm in B12.
    Sentinel-1: ESA's Sentinel-1 user guide, C-SAR instrument, centre frequency 5.405 GHz.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, kw_only=True)
class Band:
    """One band of one sensor.

    Attributes:
        name: as the products write it, with two digits: "B02", "B8A", "VV".
        wavelength_um: centre wavelength, micrometres; None for radar (see C_BAND_WAVELENGTH_CM).
        width_um: full width at half maximum, micrometres; None for radar.
        native_gsd_m: pixel side in which the sensor's product is delivered, metres.
        description: what it is called and what it is good for, in a few words.
    """

    name: str
    wavelength_um: float | None
    width_um: float | None
    native_gsd_m: float
    description: str


def _optical(name: str, centre_nm: float, width_nm: float, gsd_m: float, text: str) -> Band:
    return Band(
        name=name,
        wavelength_um=round(centre_nm / 1000, 4),
        width_um=round(width_nm / 1000, 4),
        native_gsd_m=gsd_m,
        description=text,
    )


S2: dict[str, Band] = {
    band.name: band
    for band in (
        _optical("B01", 442.7, 21.0, 60.0, "coastal aerosol"),
        _optical("B02", 492.4, 66.0, 10.0, "blue"),
        _optical("B03", 559.8, 36.0, 10.0, "green"),
        _optical("B04", 664.6, 31.0, 10.0, "red: chlorophyll absorbs"),
        _optical("B05", 704.1, 15.0, 20.0, "red edge 1"),
        _optical("B06", 740.5, 15.0, 20.0, "red edge 2"),
        _optical("B07", 782.8, 20.0, 20.0, "red edge 3"),
        _optical("B08", 832.8, 106.0, 10.0, "near infrared, wide: leaves reflect"),
        _optical("B8A", 864.7, 21.0, 20.0, "near infrared, narrow"),
        _optical("B09", 945.1, 20.0, 60.0, "water vapour"),
        _optical("B10", 1373.5, 31.0, 60.0, "cirrus: absent from surface reflectance (level 2A)"),
        _optical("B11", 1613.7, 91.0, 20.0, "short-wave infrared 1: leaf water absorbs"),
        _optical("B12", 2202.4, 175.0, 20.0, "short-wave infrared 2: dry soil, char"),
    )
}

S1: dict[str, Band] = {
    name: Band(name=name, wavelength_um=None, width_um=None, native_gsd_m=10.0, description=text)
    for name, text in (
        ("VV", "sent vertical, received vertical: surfaces and their roughness"),
        ("VH", "sent vertical, received horizontal: volumes such as tree crowns"),
    )
}

#: The twelve bands of surface reflectance in the order in which CROMA wants them. B8A stands after
#: B08, although some data sets (EuroSAT) store it last; B10 sees only the upper atmosphere.
S2_BANDS: tuple[str, ...] = tuple(name for name in S2 if name != "B10")
S1_BANDS: tuple[str, ...] = tuple(S1)

#: Metres per second divided by hertz, in centimetres: 5.55 cm, larger than a leaf's thickness and
#: about as large as the twigs of a crown.
SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
S1_FREQUENCY_HZ = 5.405e9
C_BAND_WAVELENGTH_CM = 100 * SPEED_OF_LIGHT_M_PER_S / S1_FREQUENCY_HZ

#: Sentinel-2 reflectance = (digital number + offset) / quantification value. From processing
#: baseline 04.00 (25 January 2022) on, products carry the offset -1000 so that dark pixels need not
#: be cut off at zero. Source: ESA, Sentinel-2 Products Specification Document, BOA_ADD_OFFSET.
S2_QUANTIFICATION = 10_000.0
S2_OFFSET_BASELINE = 4.0
S2_OFFSET_DN = -1000.0
#: Medians and means of a scene's bands are below it in reflectance, above it in digital numbers.
S2_BRIGHTEST = 2.0
#: Digital number of a pixel that was not observed.
S2_NODATA_DN = 0


def s2_offset_dn(baseline: float | int) -> float:
    """Return what to add to Sentinel-2 digital numbers before dividing by S2_QUANTIFICATION.

    Args:
        baseline: processing baseline as a number; product names write 4.0 as "N0400".

    Returns:
        -1000 from baseline 4.0 on, 0 before; in digital numbers.
    """
    return S2_OFFSET_DN if baseline >= S2_OFFSET_BASELINE else 0.0


# Logarithms and powers of float32 differ in the last place from one processor to the next, since
# numpy has code of its own for some. In float64 they differ too, but hardly one value in a hundred
# million is another once it is rounded to float32.


def to_db(power: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """10 log10(power), in dB."""
    decibels: np.ndarray = 10 * np.log10(power, dtype=np.float64)
    return decibels.astype(np.float32)


def to_power(decibels: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """10^(dB / 10), linear."""
    power: np.ndarray = 10 ** (decibels.astype(np.float64) / 10)
    return power.astype(np.float32)
