import hashlib
import json
import shutil
import stat
import sys
import urllib.error
import zipfile
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rsedu.datasets import fetch
from rsedu.datasets.fetch import Subset, get, get_torchgeo, unpack, verify
from rsedu.datasets.registry import SETS, DataSet
from rsedu.errors import BrokenDataError, InputError, MissingDataError, MissingExtraError
from rsedu.io.http import RetryPolicy

GOOD = {"set/Forest/Forest_1.tif": b"a" * 5000, "set/readme.txt": b"b"}


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.tif"))


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_members_come_out_as_they_went_in(tmp_path: Path) -> None:
    archive, folder = _zip(tmp_path / "a.zip", GOOD), tmp_path / "deep" / "out"
    assert unpack(archive, folder) == folder
    assert {name: (folder / name).read_bytes() for name in GOOD} == GOOD
    assert [path.name for path in folder.parent.iterdir()] == ["out"]
    part = unpack(archive, tmp_path / "part", choose=lambda names: names[1:])
    assert [path.name for path in part.rglob("*") if path.is_file()] == ["readme.txt"]
    archive.unlink()
    assert unpack(archive, folder) == folder


def _altered(content: bytes) -> bytes:
    return content[:55] + bytes([content[55] ^ 255]) + content[56:]


def _link(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        link = zipfile.ZipInfo("set/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:100]), r"damaged .*: get it again"),
        (lambda path: path.write_bytes(_altered(path.read_bytes())), r"damaged .*: get it again"),
        (lambda path: path.write_bytes(b"hello"), r"damaged .*: get it again"),
        (lambda path: _zip(path, {**GOOD, "../out.txt": b"x"}), "nothing was unpacked"),
        (lambda path: _zip(path, {**GOOD, "/etc/out.txt": b"x"}), "nothing was unpacked"),
        (lambda path: _zip(path, {**GOOD, "a/../../out.txt": b"x"}), "nothing was unpacked"),
        (lambda path: _zip(path, {**GOOD, "C:/out.txt": b"x"}), "leads out of its folder"),
        (_link, "set/link"),
    ],
    ids=["cut off", "altered", "no zip", "parent", "root", "deep parent", "drive", "link"],
)
def test_one_bad_member_stops_all_and_leaves_nothing(
    tmp_path: Path, break_it: Callable[[Path], object], message: str
) -> None:
    archive = _zip(tmp_path / "a.zip", GOOD)
    break_it(archive)
    with pytest.raises(BrokenDataError, match=message):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    _zip(archive, GOOD)
    assert unpack(archive, tmp_path / "out").is_dir()


def test_a_small_disk_is_seen_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = _zip(tmp_path / "a.zip", GOOD)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 5000))
    with pytest.raises(InputError, match=r"needs 0\.0 MB"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 5001))
    assert unpack(archive, tmp_path / "out").is_dir()


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: zipfile.ZipFile, path: Path, _: object) -> None:
        path.mkdir()
        (path / "half").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "extractall", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unpack(_zip(tmp_path / "a.zip", GOOD), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.fixture
def wanted(web: Any, archive: bytes) -> DataSet:
    web.files["/set.zip"] = archive
    return replace(
        SETS["eurosat-sar"],
        name="small",
        address=f"{web.base}/set.zip",
        file="set.zip",
        digest=None,
    )


def test_a_set_is_fetched_once_recorded_and_verified(
    web: Any, wanted: DataSet, archive: bytes, quick: RetryPolicy, tmp_path: Path
) -> None:
    folder = get(wanted, tmp_path, patience=quick)
    assert len(_names(folder)) == 15 and (folder / "set" / "readme.txt").is_file()
    facts = json.loads((tmp_path / "small" / "record.json").read_text())["set.zip"]
    digest = hashlib.sha256(archive).hexdigest()
    assert (facts["sha256"], facts["published"]) == (f"sha256:{digest}", None)
    assert facts["bytes"] == len(archive)
    assert get(wanted, tmp_path, patience=quick) == folder
    assert len(web.asked) == 1
    assert verify(wanted, tmp_path) == [
        f"small: set.zip has the checksum recorded at its first download (sha256:{digest})."
    ]


def test_a_published_checksum_is_what_counts(
    wanted: DataSet, archive: bytes, quick: RetryPolicy, tmp_path: Path
) -> None:
    published = replace(wanted, digest=f"md5:{hashlib.md5(archive).hexdigest()}")
    get(published, tmp_path, patience=quick)
    assert "has the checksum published (md5:" in verify(published, tmp_path)[0]
    wrong = replace(wanted, name="wrong", digest="md5:" + "0" * 32)
    with pytest.raises(BrokenDataError, match="another MD5 than expected; it was deleted"):
        get(wrong, tmp_path, patience=quick)
    assert not list((tmp_path / "wrong").iterdir())


def test_an_archive_put_there_by_hand_is_checked_before_it_is_recorded(
    web: Any, wanted: DataSet, archive: bytes, quick: RetryPolicy, tmp_path: Path
) -> None:
    published = replace(wanted, digest=f"md5:{hashlib.md5(archive).hexdigest()}")
    path = tmp_path / "small" / "set.zip"
    path.parent.mkdir()
    path.write_bytes(archive + b"x")
    with pytest.raises(BrokenDataError, match=r"not what was published: .*left as it is; move it"):
        get(published, tmp_path, patience=quick)
    assert [each.name for each in path.parent.iterdir()] == ["set.zip"]
    assert path.read_bytes() == archive + b"x"
    path.write_bytes(archive)
    get(published, tmp_path, patience=quick)
    assert "has the checksum published" in verify(published, tmp_path)[0]
    assert not web.asked


def test_verify_sees_a_changed_byte_and_what_is_missing(
    wanted: DataSet, quick: RetryPolicy, tmp_path: Path
) -> None:
    with pytest.raises(MissingDataError, match="small is not in"):
        verify(wanted, tmp_path)
    get(wanted, tmp_path, patience=quick)
    path = tmp_path / "small" / "set.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BrokenDataError, match="is not what it was"):
        verify(wanted, tmp_path)
    path.unlink()
    with pytest.raises(MissingDataError, match=r"set\.zip is gone"):
        verify(wanted, tmp_path)
    get(wanted, tmp_path, patience=quick)
    verify(wanted, tmp_path)


def test_a_corrupt_archive_is_told_and_the_next_download_mends_it(
    web: Any, wanted: DataSet, archive: bytes, quick: RetryPolicy, tmp_path: Path
) -> None:
    web.files["/set.zip"] = archive[:200]
    with pytest.raises(BrokenDataError, match=r"no zip, or is damaged .* It was deleted\."):
        get(wanted, tmp_path, patience=quick)
    assert not (tmp_path / "small" / "all").exists()
    web.files["/set.zip"] = archive
    assert len(_names(get(wanted, tmp_path, patience=quick))) == 15


def test_a_subset_is_even_over_classes_and_needs_no_second_download(
    web: Any, wanted: DataSet, quick: RetryPolicy, tmp_path: Path
) -> None:
    first = get(wanted, tmp_path, subset=Subset(count=4), patience=quick)
    assert _names(first) == ["Forest_1.tif", "Forest_2.tif", "River_1.tif", "River_2.tif"]
    one = get(wanted, tmp_path, subset=Subset(count=11, classes=("Forest",)), patience=quick)
    assert "Forest_11.tif" in _names(one) and "Forest_12.tif" not in _names(one)
    assert len(web.asked) == 1


def test_a_seed_draws_the_same_names_from_paired_archives() -> None:
    optical = [f"ds/tif/{c}/{c}_{i}.tif" for c in ("A", "B") for i in range(50)]
    radar = [f"SAR/{c}/{c}_{i}.tif" for c in ("B", "A") for i in reversed(range(50))]

    def drawn(names: list[str], seed: int) -> list[str]:
        return sorted(Path(name).name for name in Subset(count=10, seed=seed).choose(names))

    assert drawn(optical, 1) == drawn(radar, 1)
    assert drawn(optical, 1) != drawn(optical, 2)
    assert sum(name.startswith("A") for name in drawn(optical, 1)) == 5


@pytest.mark.parametrize(
    ("subset", "message"),
    [
        (Subset(count=16), "A subset of 16 was asked for, and there are 15"),
        (Subset(count=1, classes=("Sea",)), "no class Sea here; it has Forest, River"),
    ],
)
def test_an_impossible_subset_says_so_and_leaves_none(
    wanted: DataSet, quick: RetryPolicy, tmp_path: Path, subset: Subset, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        get(wanted, tmp_path, subset=subset, patience=quick)
    assert sorted(p.name for p in (tmp_path / "small").iterdir()) == ["record.json", "set.zip"]
    with pytest.raises(InputError, match="wanted 1 or more"):
        Subset(count=0)


def _listed(web: Any, name: str, content: bytes) -> dict[str, Any]:
    """A file that the server has, as Zenodo lists it."""
    web.files[f"/{name}"] = content
    digest = f"md5:{hashlib.md5(content).hexdigest()}"
    link = {"self": f"{web.base}/{name}"}
    return {"key": name, "size": len(content), "checksum": digest, "links": link}


def test_a_record_tells_address_size_and_checksum(
    web: Any, archive: bytes, quick: RetryPolicy, tmp_path: Path
) -> None:
    listed = _listed(web, "tiles.zip", archive)
    web.put_json("/api", {"files": [{**listed, "key": "../tiles.zip"}]})
    wanted = replace(SETS["amazon-forest"], record=f"{web.base}/api")
    web.faults["/api"] = ["garbage"]
    with pytest.raises(BrokenDataError, match="did not answer with a list of files"):
        get(wanted, tmp_path, patience=quick)
    assert not list(tmp_path.iterdir())
    folder = get(wanted, tmp_path, patience=quick)
    assert folder == tmp_path / "amazon-forest" / "all" and len(_names(folder)) == 15
    assert listed["checksum"] in verify(wanted, tmp_path)[0]
    get(wanted, tmp_path, patience=quick)
    assert len(web.asked) == 3
    web.put_json("/none", {"files": []})
    with pytest.raises(MissingDataError, match="lists no file"):
        get(replace(wanted, name="none", record=f"{web.base}/none"), tmp_path, patience=quick)


def test_each_of_several_zips_has_its_folder(web: Any, quick: RetryPolicy, tmp_path: Path) -> None:
    listed = []
    for name in ("north", "south"):
        members = {"A/1.tif": name.encode(), "A/2.tif": name.encode()}
        content = _zip(tmp_path / "made.zip", members).read_bytes()
        listed.append(_listed(web, f"{name}.zip", content))
    web.put_json("/api", {"files": listed})
    wanted = replace(SETS["amazon-forest"], record=f"{web.base}/api")
    home = get(wanted, tmp_path, patience=quick)
    assert home == tmp_path / "amazon-forest"
    for name in ("north", "south"):
        assert (home / f"all-{name}" / "A" / "2.tif").read_text() == name
    get(wanted, tmp_path, subset=Subset(count=1), patience=quick)
    assert (home / "subset-1-first-south" / "A" / "1.tif").is_file()
    assert not (home / "all").exists() and len(verify(wanted, tmp_path)) == 2


def test_what_is_no_zip_is_kept_packed(web: Any, quick: RetryPolicy, tmp_path: Path) -> None:
    web.files["/a.rar"] = b"Rar!"
    wanted = replace(SETS["eurosat-sar"], address=f"{web.base}/a.rar", file="a.rar")
    folder = get(wanted, tmp_path, patience=quick)
    assert (folder / "a.rar").read_bytes() == b"Rar!"


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", r"record\.json is no JSON")]
    + [
        (text, "published and sha256: delete it, then get")
        for text in ("[]", "3", '{"a.zip": {}}', '{"a.zip": 1}')
    ],
)
def test_a_broken_record_says_what_to_do(
    wanted: DataSet, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "record.json").write_text(text)
    with pytest.raises(BrokenDataError, match=message):
        verify(wanted, tmp_path)


@pytest.fixture
def torchgeo(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stands in for torchgeo.datasets."""
    fake = ModuleType("torchgeo.datasets")
    monkeypatch.setitem(sys.modules, "torchgeo", ModuleType("torchgeo"))
    monkeypatch.setitem(sys.modules, "torchgeo.datasets", fake)
    return fake


def test_torchgeo_downloads_by_itself(
    torchgeo: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: dict[str, object] = {}

    class UCMerced:
        def __init__(self, **settings: object) -> None:
            seen.update(settings)

    class Landsat:
        def __init__(self, root: Path) -> None:
            pass

    torchgeo.UCMerced, torchgeo.Landsat = UCMerced, Landsat
    root = get_torchgeo("UCMerced", tmp_path)
    assert seen == {"root": root, "download": True, "checksum": True}
    with pytest.raises(InputError, match="no data set 'Nothing'"):
        get_torchgeo("Nothing", tmp_path)
    with pytest.raises(InputError, match="cannot download Landsat by itself"):
        get_torchgeo("Landsat", tmp_path)
    monkeypatch.setitem(sys.modules, "torchgeo.datasets", None)
    with pytest.raises(MissingExtraError, match="pip install torchgeo"):
        get_torchgeo("UCMerced", tmp_path)
    assert fetch.FOLDER.parts == (".rsedu", "data")


def test_torchgeo_without_a_network_says_so_and_leaves_nothing(
    torchgeo: Any, tmp_path: Path
) -> None:
    class EuroSAT:
        def __init__(self, root: Path, **_: object) -> None:
            root.mkdir(parents=True)
            raise urllib.error.URLError("Name or service not known")

    torchgeo.EuroSAT = EuroSAT
    with pytest.raises(MissingDataError, match=r"EuroSAT .*Name or .*: connect to the internet"):
        get_torchgeo("EuroSAT", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_in_place_of_the_folder_is_told(
    web: Any, wanted: DataSet, archive: bytes, quick: RetryPolicy, tmp_path: Path
) -> None:
    web.put_json(
        "/api",
        {"files": [{"key": "a.zip", "links": {"self": "x"}, "checksum": "md5:0", "size": 3}]},
    )
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match=r"file/small cannot be written .*choose a folder"):
        get(replace(wanted, record=f"{web.base}/api"), file, patience=quick)
    by_hand = tmp_path / "small" / "set.zip"
    by_hand.parent.mkdir()
    by_hand.write_bytes(archive)

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "write_atomically", denied)
        with pytest.raises(InputError, match=r"small cannot be written .Permission denied"):
            get(wanted, tmp_path, patience=quick)
