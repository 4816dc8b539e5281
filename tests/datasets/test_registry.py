import re

import pytest

from rsedu.datasets.registry import SETS, find, render
from rsedu.errors import InputError


def test_each_set_says_what_its_user_has_to_know() -> None:
    for name, each in SETS.items():
        assert each.name == name
        assert each.licence and each.size and each.page.startswith("https://")
        assert "modified Copernicus Sentinel data" in each.attribution
        assert bool(each.record) != each.address.startswith("https://")
        assert each.digest is None or re.fullmatch(r"md5:[0-9a-f]{32}", each.digest)


def test_the_text_names_each_and_hides_no_missing_checksum() -> None:
    text = render()
    for name in SETS:
        assert f"\n{name}: " in f"\n{text}"
    assert text.count("checksum: md5:") == 2
    assert text.count("none published; SHA-256 kept at the first download") == 1
    assert text.count("(our estimate)") == 2


def test_an_unknown_name_lists_the_known() -> None:
    assert find("eurosat-ms").file == "EuroSATallBands.zip"
    with pytest.raises(InputError, match="wanted one of eurosat-ms, "):
        find("eurosat")
