"""Which scenes an open STAC catalogue has of a place and time."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode, urljoin

import numpy as np
from jaxtyping import Float32
from pystac import STACError
from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO

from rsedu.datasets.stac.remote import Sign, unsigned
from rsedu.datasets.stac.signing import TOKENS, Signer
from rsedu.errors import BrokenDataError, InputError, RseduError
from rsedu.io.http import RetryPolicy, ask
from rsedu.io.web import quoted
from rsedu.scenes.bands import S2_QUANTIFICATION, s2_offset_dn

_PAGE = 100
_MAX_PAGES = 50
_MAX_DEGREES = 0.5
_BASELINES = ("s2:processing_baseline", "processing:baseline")


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """A STAC API.

    Attributes:
        url: of its root.
        optical: collection of Sentinel-2, level 2A.
        radar: collection of Sentinel-1, terrain-corrected; "" where it has none that is open.
        tokens: service that signs addresses; "" where none is needed.
        hosts: end of the host names whose addresses are signed.
    """

    url: str
    optical: str = "sentinel-2-l2a"
    radar: str = "sentinel-1-rtc"
    tokens: str = ""
    hosts: str = ".blob.core.windows.net"

    def signer(self, collection: str, patience: RetryPolicy | None = None) -> Sign:
        """Return what signs the addresses of a collection."""
        if not self.tokens:
            return unsigned
        return Signer(collection, service=self.tokens, hosts=self.hosts, patience=patience)


CATALOGUES = {
    "planetary": Catalogue(
        url="https://planetarycomputer.microsoft.com/api/stac/v1", tokens=TOKENS
    ),
    # Its Sentinel-1 lies where the reader pays.
    "earth-search": Catalogue(url="https://earth-search.aws.element84.com/v1", radar=""),
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is looked for.

    Attributes:
        bbox: (west, south, east, north), degrees of longitude and latitude, WGS 84.
        dates: "FROM/TO", days such as 2023-06-01/2023-09-30, both included; kept in this form,
            whatever form of ISO 8601 they come in.
        max_cloud: largest share of cloud of a whole scene, percent.

    Raises:
        InputError: no such place, too large a place, no such days, or no percentage.
    """

    bbox: tuple[float, float, float, float]
    dates: str
    max_cloud: float = 20.0

    def __post_init__(self) -> None:
        west, south, east, north = self.bbox
        if -180 <= east < west <= 180:
            raise InputError(
                f"The place {self.bbox} has its west east of its east; wanted west < east: swap "
                "them, or split the place at 180 degrees if it lies across that meridian."
            )
        if not (-180 <= west < east <= 180 and -80 <= south < north <= 84):
            raise InputError(
                f"The place {self.bbox} is none; wanted west, south, east, north in degrees, with "
                "west < east, south < north, between 80 south and 84 north."
            )
        if max(east - west, north - south) > _MAX_DEGREES:
            raise InputError(
                f"The place is {east - west:g} x {north - south:g} degrees; at most "
                f"{_MAX_DEGREES:g} on a side are read at once: choose a part."
            )
        if not 0 <= self.max_cloud <= 100:
            raise InputError(f"max_cloud is {self.max_cloud:g}; it is a percentage, 0 to 100.")
        first, _, last = self.dates.partition("/")
        try:
            start, end = date.fromisoformat(first), date.fromisoformat(last)
        except ValueError as error:
            raise InputError(
                f"The dates {self.dates!r} are none; wanted FROM/TO, as 2023-06-01/2023-09-30."
            ) from error
        if start > end:
            raise InputError(f"The dates {self.dates} end before they begin: swap them.")
        # Python also reads 20230601 and 2023-W22-4, which catalogues don't.
        object.__setattr__(self, "dates", f"{start.isoformat()}/{end.isoformat()}")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One scene of a catalogue.

    Attributes:
        id: its name there.
        taken: when, UTC.
        properties: as the catalogue has them.
        assets: name of a file -> its address.
        scales: name of a file -> (scale, offset) of its numbers, where the catalogue tells them.
    """

    id: str
    taken: datetime
    properties: Mapping[str, Any]
    assets: Mapping[str, str]
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def cloud(self) -> float | None:
        """Share of the whole scene under cloud, percent; None where the catalogue is silent."""
        told = self.properties.get("eo:cloud_cover")
        return None if told is None else float(told)

    def reflectance(self, name: str, dn: Float32[np.ndarray, "*shape"]) -> np.ndarray:
        """Turn one file's digital numbers into reflectance, by the first of these that tells how.

        Earth Search has added the offset to the files already, and says so, whatever scale and
        offset it gives beside; then the scale and offset of the file; then the processing baseline.

        Args:
            name: of the file, as in `assets`.
            dn: as stored.

        Raises:
            BrokenDataError: the catalogue tells none of them.
        """
        applied = bool(self.properties.get("earthsearch:boa_offset_applied"))
        if name in self.scales and not applied:
            scale, offset = self.scales[name]
            return (dn * scale + offset).astype(np.float32)
        offset_dn = np.float32(0 if applied else self._offset_dn())
        return np.asarray((dn + offset_dn) / np.float32(S2_QUANTIFICATION))

    def _offset_dn(self) -> float:
        told = next((self.properties[key] for key in _BASELINES if key in self.properties), None)
        if told is None or re.fullmatch(r"\d\d?\.\d\d?", str(told)) is None:
            raise BrokenDataError(
                f"{self.id} does not tell its processing baseline ({told!r}), so its offset is "
                "unknown: choose other dates, or another catalogue."
            )
        return s2_offset_dn(float(told))


class _Patiently(StacApiIO):
    """pystac-client's requests by the kit's own transport: its timeouts, tries and messages."""

    def __init__(self, patience: RetryPolicy | None) -> None:
        super().__init__()
        self._patience = patience

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> str:
        body = None
        if method == "POST":
            body = json.dumps(parameters or {}).encode()
            headers = {**(headers or {}), "Content-Type": "application/json"}
        elif parameters:
            href += ("&" if "?" in href else "?") + urlencode(parameters)
        answer = ask(href, headers=headers, body=body, patience=self._patience)
        return answer.body.decode("utf-8", errors="replace")


def search(
    catalogue: Catalogue, collection: str, request: Query, *, patience: RetryPolicy | None = None
) -> list[Item]:
    """Return the items of a collection that touch the place within the dates, oldest first.

    Args:
        catalogue: where to look.
        collection: of `catalogue`.
        request: place and dates; its clouds are not looked at here.
        patience: how long to wait.

    Raises:
        MissingDataError: no network, or no such catalogue.
        BrokenDataError: the answers are no STAC, or the pages go in circles.
        InputError: the catalogue's URL is no address of the web.
    """
    quoted(catalogue.url)  # pystac-client would read a file of this machine
    found: dict[str, Item] = {}
    try:
        client = Client.open(catalogue.url, stac_io=_Patiently(patience))
        pages = client.search(
            collections=[collection], bbox=list(request.bbox), datetime=request.dates, limit=_PAGE
        ).pages_as_dicts()
        for page in _turning(pages, catalogue):
            for feature in page["features"]:
                item = _item(feature, catalogue)
                found[item.id] = item
    except RseduError:
        raise
    # pystac raises errors of many kinds where JSON is not what the standard says.
    except (APIError, STACError, LookupError, ValueError, TypeError, AttributeError) as why:
        raise BrokenDataError(
            f"{catalogue.url} did not answer as a STAC catalogue does ({type(why).__name__}: "
            f"{why}): check the address, or use another catalogue."
        ) from why
    return sorted(found.values(), key=lambda item: (item.taken, item.id))


def _turning(pages: Iterator[dict[str, Any]], catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """The pages, until one comes again: some servers link the last page to itself."""
    seen: set[tuple[str, ...]] = set()
    for page in pages:
        ids = tuple(str(feature.get("id")) for feature in page["features"])
        if ids in seen or len(seen) == _MAX_PAGES:
            raise BrokenDataError(
                f"{catalogue.url} sends page after page without an end: choose fewer days, or use "
                "another catalogue."
            )
        seen.add(ids)
        yield page


def _item(feature: dict[str, Any], catalogue: Catalogue) -> Item:
    properties = feature["properties"]
    taken = datetime.fromisoformat(properties["datetime"])
    hrefs = {name: asset["href"] for name, asset in feature["assets"].items()}
    scales = {name: _scale(asset) for name, asset in feature["assets"].items()}
    return Item(
        id=str(feature["id"]),
        taken=taken if taken.tzinfo else taken.replace(tzinfo=UTC),
        properties=properties,
        assets={name: urljoin(catalogue.url, href) for name, href in hrefs.items()},
        scales={name: scale for name, scale in scales.items() if scale is not None},
    )


def _scale(asset: Mapping[str, Any]) -> tuple[float, float] | None:
    """Scale and offset of a file of one band, as the raster extension writes them, old and new."""
    for key, scale, offset in (
        ("raster:bands", "scale", "offset"),
        ("bands", "raster:scale", "raster:offset"),
    ):
        bands = asset.get(key) or []
        if len(bands) == 1 and scale in bands[0]:
            return float(bands[0][scale]), float(bands[0].get(offset, 0))
    if "raster:scale" in asset:
        return float(asset["raster:scale"]), float(asset.get("raster:offset", 0))
    return None
