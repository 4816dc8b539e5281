from typing import Any

import pytest

from rsedu.datasets.stac.query import CATALOGUES, Catalogue, Query, search
from rsedu.datasets.stac.remote import unsigned
from rsedu.datasets.stac.signing import Signer
from rsedu.errors import BrokenDataError, InputError
from rsedu.io.http import RetryPolicy

PLACE = (-63.9, -9.99, -63.8, -9.9)
DAYS = "2023-06-01/2023-08-31"


def test_place_days_and_collection_are_asked_for(
    stac: Any, request_: Query, quick: RetryPolicy
) -> None:
    (item,) = search(stac.catalogue, "sentinel-2-l2a", request_, patience=quick)
    assert item.id == "S2_CLEAR" and item.cloud == 4.0 and item.scales == {}
    assert f"{item.taken:%Y-%m-%d %H %Z}" == "2023-07-01 14 UTC"
    (posted,) = stac.posted
    assert posted["collections"] == ["sentinel-2-l2a"] and posted["limit"] == 100
    assert posted["bbox"] == pytest.approx(list(request_.bbox))
    assert posted["datetime"] == "2023-06-01T00:00:00Z/2023-08-31T23:59:59Z"


@pytest.mark.parametrize("dates", ["20230601/20230831", "2023-W22-4/2023-W35-4"])
def test_days_in_other_forms_are_the_same_days(
    stac: Any, request_: Query, quick: RetryPolicy, dates: str
) -> None:
    told = Query(bbox=request_.bbox, dates=dates)
    assert told == request_ and told.dates == DAYS
    assert len(search(stac.catalogue, "sentinel-2-l2a", told, patience=quick)) == 1


def test_items_come_oldest_first_and_once(stac: Any, request_: Query, quick: RetryPolicy) -> None:
    early = {**stac.optical["properties"], "datetime": "2023-06-02T14:00:00"}
    stac.items["sentinel-2-l2a"] += [
        {**stac.optical, "id": "EARLY", "properties": early},
        dict(stac.optical),
    ]
    found = search(stac.catalogue, "sentinel-2-l2a", request_, patience=quick)
    assert [item.id for item in found] == ["EARLY", "S2_CLEAR"]


def test_pages_are_turned(stac: Any, web: Any, request_: Query, quick: RetryPolicy) -> None:
    second = {**stac.optical, "id": "SECOND"}
    first = stac.search
    calls: list[int] = []

    def answer(posted: dict[str, Any]) -> dict[str, Any]:
        calls.append(1)
        stac.next = len(calls) == 1
        stac.items["sentinel-2-l2a"] = [stac.optical if len(calls) == 1 else second]
        return dict(first(posted))

    web.answers["/stac/search"] = answer
    found = search(stac.catalogue, "sentinel-2-l2a", request_, patience=quick)
    assert [item.id for item in found] == ["S2_CLEAR", "SECOND"]


def test_addresses_beside_the_catalogue_are_completed(
    stac: Any, request_: Query, quick: RetryPolicy
) -> None:
    stac.optical["assets"]["B02"]["href"] = "/cog/B02.tif"
    (item,) = search(stac.catalogue, "sentinel-2-l2a", request_, patience=quick)
    assert item.assets["B02"] == f"{stac.web.base}/cog/B02.tif"


@pytest.mark.parametrize("key", ["id", "properties", "assets"])
def test_an_item_that_is_none_is_told(
    stac: Any, request_: Query, quick: RetryPolicy, key: str
) -> None:
    del stac.optical[key]
    with pytest.raises(BrokenDataError, match="did not answer as a STAC catalogue does"):
        search(stac.catalogue, "sentinel-2-l2a", request_, patience=quick)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bbox": (-63.8, -9.99, -63.9, -9.9)}, "west < east"),
        ({"bbox": (179.9, -17.0, -179.9, -16.9)}, "split the place at 180"),
        ({"bbox": (-63.9, -9.9, -63.8, -9.99)}, "south < north"),
        ({"bbox": (3.0, 85.0, 3.1, 85.1)}, "84 north"),
        ({"bbox": (3.0, -80.1, 3.1, -80.0)}, "80 south"),
        ({"bbox": (-63.9, -9.99, -63.0, -9.9)}, r"0\.9 x 0\.09 degrees; at most 0\.5"),
        ({"bbox": (3.0, 9.0, 3.1, 9.51)}, r"0\.1 x 0\.51 degrees; at most 0\.5"),
        ({"dates": "2023-06-01"}, "wanted FROM/TO"),
        ({"dates": "June/July"}, "wanted FROM/TO"),
        ({"dates": "2023-08-31/2023-06-01"}, "end before they begin"),
        ({"max_cloud": 100.1}, "a percentage, 0 to 100"),
        ({"max_cloud": -0.1}, "a percentage, 0 to 100"),
    ],
)
def test_a_request_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Query(**{"bbox": PLACE, "dates": DAYS, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"bbox": (3.0, 83.9, 3.1, 84.0)},
        {"bbox": (3.0, -80.0, 3.1, -79.9)},
        {"bbox": (3.0, 9.0, 3.5, 9.5)},
        {"dates": "2023-06-01/2023-06-01"},
        {"max_cloud": 0.0},
        {"max_cloud": 100.0},
    ],
)
def test_a_request_at_the_edge_is_none_the_worse(changes: dict[str, Any]) -> None:
    query = Query(**{"bbox": PLACE, "dates": DAYS, **changes})
    assert all(getattr(query, name) == value for name, value in changes.items())


def test_only_what_needs_a_signature_gets_one() -> None:
    assert CATALOGUES["earth-search"].signer("a") is unsigned
    assert isinstance(CATALOGUES["planetary"].signer("a"), Signer)
    assert CATALOGUES["earth-search"].radar == "" and Catalogue(url="x").radar == "sentinel-1-rtc"
