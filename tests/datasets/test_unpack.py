import shutil
import stat
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from rsedu.datasets.unpack import unpack
from rsedu.errors import BrokenDataError, InputError


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


GOOD = {"set/Forest/Forest_1.tif": b"a" * 5000, "set/readme.txt": b"b"}


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_members_come_out_as_they_went_in(tmp_path: Path) -> None:
    folder = unpack(_zip(tmp_path / "a.zip", GOOD), tmp_path / "deep" / "out")
    assert {name: (folder / name).read_bytes() for name in GOOD} == GOOD
    assert _names(tmp_path / "deep") == ["out"]
    (tmp_path / "a.zip").unlink()
    assert unpack(tmp_path / "a.zip", folder) == folder


def test_only_what_is_chosen_comes_out(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", GOOD)
    folder = unpack(archive, tmp_path / "out", choose=lambda names: names[1:])
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["readme.txt"]


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "C:/out.txt"])
def test_a_path_that_leads_out_stops_all(tmp_path: Path, name: str) -> None:
    archive = _zip(tmp_path / "a.zip", {**GOOD, name: b"x"})
    with pytest.raises(BrokenDataError, match="leads out of its folder: nothing was unpacked"):
        unpack(archive, tmp_path / "out")
    assert _names(tmp_path) == ["a.zip"]
    _zip(archive, GOOD)
    assert unpack(archive, tmp_path / "out").is_dir()


def test_a_link_stops_all(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        link = zipfile.ZipInfo("set/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(BrokenDataError, match="set/link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert _names(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("at", ["cut off", "altered", "no zip"])
def test_a_damaged_archive_leaves_nothing(tmp_path: Path, at: str) -> None:
    archive = _zip(tmp_path / "a.zip", GOOD)
    whole = archive.read_bytes()
    altered = whole[:55] + bytes([whole[55] ^ 255]) + whole[56:]
    archive.write_bytes({"cut off": whole[:100], "altered": altered, "no zip": b"hello"}[at])
    with pytest.raises(BrokenDataError, match=r"damaged .*: get it again"):
        unpack(archive, tmp_path / "out")
    assert _names(tmp_path) == ["a.zip"]
    archive.write_bytes(whole)
    assert unpack(archive, tmp_path / "out").is_dir()


def test_a_small_disk_is_seen_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 5000))
    with pytest.raises(InputError, match=r"needs 0\.0 MB"):
        unpack(_zip(tmp_path / "a.zip", GOOD), tmp_path / "out")
    assert _names(tmp_path) == ["a.zip"]


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: zipfile.ZipFile, path: Path, _: object) -> None:
        path.mkdir()
        (path / "half").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "extractall", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unpack(_zip(tmp_path / "a.zip", GOOD), tmp_path / "out")
    assert _names(tmp_path) == ["a.zip"]
