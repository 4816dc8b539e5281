"""Data sets on disk: fetched, recorded, unpacked, verified."""

import hashlib
import importlib
import json
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from rsedu.datasets.registry import DataSet
from rsedu.errors import BrokenDataError, InputError, MissingDataError, MissingExtraError
from rsedu.io.files import write_atomically
from rsedu.io.http import RetryPolicy, ask, digest_of, download

FOLDER = Path(".rsedu") / "data"
RECORD = "record.json"
_KEYS = {"published", "sha256"}  # of each file's facts there


@dataclass(frozen=True, kw_only=True)
class Subset:
    """Which members of an archive to unpack.

    Attributes:
        count: how many pictures in all, spread evenly over the classes.
        classes: names of folders to take them from; empty: all.
        seed: of the draw; None: the first by name. Names decide, so that one seed draws the same
            patches from two archives that are paired by name.
    """

    count: int
    classes: tuple[str, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError(f"A subset of {self.count}; wanted 1 or more.")

    @property
    def folder(self) -> str:
        """Name of the folder that holds it; another for each choice."""
        drawn = "first" if self.seed is None else f"seed{self.seed}"
        return "-".join(("subset", str(self.count), drawn, *sorted(self.classes)))

    def choose(self, names: Sequence[str]) -> list[str]:
        """Return the chosen of all member names.

        Raises:
            InputError: there is no such class, or fewer pictures than asked for.
        """
        pictures = sorted(
            (name for name in names if name.lower().endswith((".tif", ".tiff", ".jpg", ".png"))),
            key=_class_of,
        )
        groups = {key: list(found) for key, found in groupby(pictures, key=_class_of)}
        unknown = sorted(set(self.classes) - set(groups))
        if unknown:
            raise InputError(
                f"There is no class {', '.join(unknown)} here; it has {', '.join(groups)}."
            )
        queues = [
            sorted(found, key=self._rank)
            for key, found in groups.items()
            if not self.classes or key in self.classes
        ]
        there = sum(map(len, queues))
        if there < self.count:
            raise InputError(f"A subset of {self.count} was asked for, and there are {there}.")
        turns = [(turn, name) for queue in queues for turn, name in enumerate(queue)]
        return [name for _, name in sorted(turns, key=lambda each: each[0])[: self.count]]

    def _rank(self, name: str) -> tuple[str, int, str]:
        """Drawn by a hash of seed and name; unseeded, Forest_2 stands before Forest_10."""
        stem = PurePosixPath(name).name
        if self.seed is None:
            return "", len(stem), stem
        return hashlib.sha256(f"{self.seed}/{stem}".encode()).hexdigest(), 0, stem


def _class_of(name: str) -> str:
    return PurePosixPath(name).parent.name


def unpack(
    archive: Path,
    folder: Path,
    *,
    choose: Callable[[Sequence[str]], Sequence[str]] | None = None,
) -> Path:
    """Unpack a zip, which is kept, into a folder that is whole or not there.

    Args:
        archive: the zip.
        folder: where its members go; one that is there already is taken as it is.
        choose: which members, of the names of all; None: all.

    Raises:
        BrokenDataError: no zip, a damaged member, or one that points out of the folder.
        InputError: the disk is too small, or the folder cannot be written.
    """
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.unfinished")
    try:
        with zipfile.ZipFile(archive) as members:
            _check_members(archive, members)
            names = members.namelist() if choose is None else choose(members.namelist())
            needed = sum(members.getinfo(name).file_size for name in names)
            _check_space(folder.parent, needed)
            members.extractall(unfinished, names)
        os.replace(unfinished, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise BrokenDataError(
            f"{archive} is no zip, or is damaged ({error}): get it again."
        ) from error
    except (BrokenDataError, InputError):
        raise
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error}): choose a folder that can be."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _check_members(archive: Path, members: zipfile.ZipFile) -> None:
    """Refuse the whole archive for one member that would end up elsewhere."""
    for member in members.infolist():
        name = member.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        leads_out = name.startswith("/") or ".." in parts or ":" in name
        if leads_out or stat.S_ISLNK(member.external_attr >> 16):
            raise BrokenDataError(
                f"{archive} holds {member.filename!r}, which leads out of its folder: nothing was "
                "unpacked; get it from its publisher."
            )


def _check_space(folder: Path, needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"Unpacked, it needs {needed / 1e6:.1f} MB, and {folder} has {free / 1e6:.1f} MB free: "
            "make room, or choose another folder."
        )


def get(
    wanted: DataSet,
    folder: Path = FOLDER,
    *,
    subset: Subset | None = None,
    patience: RetryPolicy | None = None,
) -> Path:
    """Return the folder of a data set, fetched and unpacked where it is not there yet.

    The archive is fetched whole, because only so its checksum means something; a subset saves the
    room of what is unpacked. It stays beside, so that another subset needs no network. Where a
    record lists several zips, each has a folder of its own, such as ``all-NAME``, and a subset is
    taken from each.

    Args:
        wanted: of the catalogue.
        folder: its folder gets the set's name.
        subset: what to unpack; None: all.
        patience: how long to wait for the server.

    Returns:
        The folder of what was unpacked, or the one that holds those of several zips; of the
        archives themselves where they are no zip.

    Raises:
        MissingDataError: no network, or no such file.
        BrokenDataError: the archive is damaged, not what it should be, or leads out of its folder.
            It is deleted, unless it was there before and is not what was published.
        InputError: the disk is too small or not writable, or the subset is impossible.
    """
    home, part = folder / wanted.name, subset.folder if subset else "all"
    files = _files(wanted, home, patience)
    zips = [each.file for each in files if each.file.endswith(".zip")]
    for each in files:
        archive = home / each.file
        first = not archive.is_file()
        if not first and each.file not in _recorded(home):
            _check_found(archive, each)
        download(each.address, archive, digest=each.digest, size=each.size_bytes, patience=patience)
        if first or each.file not in _recorded(home):
            _record(home, each)
        if each.file in zips:
            pixels = home / (part if len(zips) == 1 else f"{part}-{archive.stem}")
            try:
                unpack(archive, pixels, choose=subset.choose if subset else None)
            except BrokenDataError as error:
                archive.unlink()  # else the next run would trip over it again
                raise BrokenDataError(f"{error} It was deleted.") from error
    return home / part if len(zips) == 1 else home


def _files(wanted: DataSet, home: Path, patience: RetryPolicy | None) -> list[DataSet]:
    """The set itself, or the files that its record lists; asked once, then remembered."""
    if not wanted.record:
        return [wanted]
    kept = home / "listing.json"
    if not kept.is_file():
        body = ask(wanted.record, patience=patience).body
        _listed(wanted, body)  # nothing is kept that cannot be read
        with _writing(home):
            write_atomically(kept, lambda path: path.write_bytes(body))
    return _listed(wanted, kept.read_bytes())


def _listed(wanted: DataSet, body: bytes) -> list[DataSet]:
    try:
        files = json.loads(body)["files"]
        found = [
            replace(
                wanted,
                file=PurePosixPath(each["key"]).name,
                address=each["links"]["self"],
                digest=each["checksum"],
                size_bytes=int(each["size"]),
            )
            for each in files
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenDataError(
            f"{wanted.record} did not answer with a list of files ({error!r}): try again later, "
            f"or fetch them by hand from {wanted.page}."
        ) from error
    if not found:
        raise MissingDataError(f"{wanted.record} lists no file: see {wanted.page}.")
    return found


def _check_found(archive: Path, each: DataSet) -> None:
    """See that an archive that nobody recorded, put there by hand perhaps, is the published one."""
    kind = (each.digest or "").split(":", 1)[0]
    if each.digest is not None and not digest_of(archive, kind).startswith(each.digest):
        raise BrokenDataError(
            f"{archive} is not what was published: its checksum is not {each.digest}. It was left "
            "as it is; move it away, then get the set again."
        )


def _recorded(home: Path) -> dict[str, Any]:
    path = home / RECORD
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BrokenDataError(
            f"{path} is no JSON ({error}): delete it, then get the set again."
        ) from error
    entries = facts.values() if isinstance(facts, dict) else [facts]
    if not all(isinstance(each, dict) and _KEYS <= each.keys() for each in entries):
        raise BrokenDataError(
            f"{path} does not tell each file's {' and '.join(sorted(_KEYS))}: delete it, then get "
            "the set again."
        )
    return dict(facts)


def _record(home: Path, each: DataSet) -> None:
    """Write down what came, so that a later change can be seen."""
    facts = {
        **_recorded(home),
        each.file: {
            "address": each.address,
            "bytes": (home / each.file).stat().st_size,
            "published": each.digest,
            "sha256": digest_of(home / each.file),
            "licence": each.licence,
            "attribution": each.attribution,
        },
    }
    text = json.dumps(facts, indent=2)
    with _writing(home):
        write_atomically(home / RECORD, lambda path: path.write_text(text, encoding="utf-8"))


@contextmanager
def _writing(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{home} cannot be written ({error.strerror or error}): choose a folder that can be, "
            "or make room."
        ) from error


def verify(wanted: DataSet, folder: Path = FOLDER) -> list[str]:
    """Compare the archives of a set with what was published, or recorded at the first download.

    Returns:
        One sentence for each file.

    Raises:
        MissingDataError: the set is not there.
        BrokenDataError: a file is not what it was.
    """
    home, lines = folder / wanted.name, []
    for file, facts in _recorded(home).items():
        path = home / file
        if not path.is_file():
            raise MissingDataError(f"{path} is gone: rsedu data get {wanted.name}.")
        against = facts["published"] or facts["sha256"]
        if digest_of(path, against.split(":", 1)[0]) != against:
            raise BrokenDataError(
                f"{path} is not what it was: its checksum is not {against}. Delete it, then "
                f"rsedu data get {wanted.name}."
            )
        source = "published" if facts["published"] else "recorded at its first download"
        lines.append(f"{wanted.name}: {file} has the checksum {source} ({against}).")
    if not lines:
        raise MissingDataError(f"{wanted.name} is not in {folder}: rsedu data get {wanted.name}.")
    return lines


def get_torchgeo(name: str, folder: Path = FOLDER) -> Path:
    """Let torchgeo download one of its data sets, with its own checksum.

    Args:
        name: of a class in torchgeo.datasets that takes ``download`` and ``checksum``.
        folder: its folder gets the class's name.

    Raises:
        MissingExtraError: torchgeo is not installed.
        InputError: it has no such data set, or cannot download it.
        MissingDataError: there is no network, or the folder cannot be written.
    """
    try:
        sets = importlib.import_module("torchgeo.datasets")
    except ImportError as error:
        raise MissingExtraError(
            "Data sets of torchgeo need torchgeo: pip install torchgeo, then again."
        ) from error
    make, root = getattr(sets, name, None), folder / f"torchgeo-{name}"
    if not isinstance(make, type):
        raise InputError(f"torchgeo has no data set {name!r}: its documentation lists them.")
    try:
        make(root=root, download=True, checksum=True)
    except TypeError as error:
        raise InputError(
            f"torchgeo cannot download {name} by itself ({error}): see its documentation."
        ) from error
    except OSError as error:
        with suppress(OSError):  # not there, or not empty
            root.rmdir()
        raise MissingDataError(
            f"torchgeo could not download {name} into {root} ({error}): connect to the internet, "
            "see that the folder can be written, and try again."
        ) from error
    return root
