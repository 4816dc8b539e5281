"""The commands `rsedu data list | get | verify | scene`."""

import itertools
from dataclasses import replace
from pathlib import Path

import click

from rsedu.datasets import fetch, registry as sets
from rsedu.errors import InputError

_HELP = {"help_option_names": ["-h", "--help"]}
_to = click.option(
    "--to", "folder", type=click.Path(path_type=Path), default=fetch.FOLDER, show_default=True
)


@click.group(context_settings=_HELP)
def data() -> None:
    """Fetch real data sets and Sentinel scenes; the lessons need none of them."""


@data.command("list")
def list_sets() -> None:
    """List the data sets: size, licence, checksum, attribution."""
    click.echo(sets.render())


@data.command()
@click.argument("name")
@_to
@click.option("--subset", type=click.IntRange(1), metavar="N", help="Unpack N pictures only.")
@click.option("--class", "classes", multiple=True, help="Take them from this class; repeatable.")
@click.option("--seed", type=int, help="Draw them by this seed; without it, the first by name.")
def get(
    name: str, folder: Path, subset: int | None, classes: tuple[str, ...], seed: int | None
) -> None:
    """Fetch the data set NAME: resumed where it was cut off, checked, unpacked.

    One seed draws the same patches from eurosat-ms and eurosat-sar.
    """
    if subset is None and (classes or seed is not None):
        raise click.UsageError("--class and --seed choose a subset: add --subset N.")
    if name.startswith("torchgeo:"):
        if subset is not None:
            raise click.UsageError("--subset works for the kit's own sets, not for torchgeo's.")
        click.echo(f"In {fetch.get_torchgeo(name.removeprefix('torchgeo:'), folder)}")
        return
    wanted = sets.find(name)
    click.echo(f"{name}: {wanted.size}, licence: {wanted.licence}", err=True)
    part = fetch.Subset(count=subset, classes=classes, seed=seed) if subset else None
    click.echo(f"In {fetch.get(wanted, folder, subset=part)}")
    click.echo(f"Please cite: {wanted.attribution}")


@data.command()
@click.argument("name", required=False)
@_to
def verify(name: str | None, folder: Path) -> None:
    """Compare fetched archives with their published or recorded checksums."""
    here = [known for known in sets.SETS if (folder / known / fetch.RECORD).is_file()]
    for known in [name] if name else here:
        for line in fetch.verify(sets.find(known), folder):
            click.echo(line)
    if not name and not here:
        click.echo(f"Nothing was fetched into {folder} yet: rsedu data list.")


@data.command()
@click.option("--bbox", type=float, nargs=4, required=True, help="West, south, east, north.")
@click.option("--dates", required=True, help="FROM/TO, such as 2023-06-01/2023-09-30.")
@click.option("--max-cloud", default=20.0, show_default=True, help="Percent of the whole scene.")
@click.option("--catalogue", default="planetary", show_default=True, help="Or earth-search, URL.")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Folder to make.")
@click.option("--no-radar", is_flag=True, help="Optical only.")
@click.option("--dry-run", is_flag=True, help="List what there is; fetch no pixel.")
def scene(
    bbox: tuple[float, float, float, float],
    dates: str,
    max_cloud: float,
    catalogue: str,
    folder: Path | None,
    no_radar: bool,
    dry_run: bool,
) -> None:
    """Fetch a place as Sentinel-2 L2A and Sentinel-1 RTC saw it, on the same pixels of 10 m.

    Of each file only the blocks under the place are read. What was fetched once is not again.
    """
    from rsedu.datasets.stac import load, query

    request = query.Query(bbox=bbox, dates=dates, max_cloud=max_cloud)
    place = query.CATALOGUES.get(catalogue)
    if place is None:
        if "://" not in catalogue:
            known = ", ".join(query.CATALOGUES)
            raise InputError(f"There is no catalogue {catalogue!r}; wanted {known}, or a URL.")
        place = query.Catalogue(url=catalogue)
    if no_radar:
        place = replace(place, radar="")
    elif not place.radar:
        click.echo(f"{catalogue} has no radar that is open to all: optical only.", err=True)
    if dry_run:
        for item in itertools.chain(*load.candidates(request, place)):
            cloud = "radar" if item.cloud is None else f"{item.cloud:.0f} % cloud"
            click.echo(f"{item.taken:%Y-%m-%d}  {cloud:>10}  {item.id}")
        return
    found = load.load_scenes(request, catalogue=place, folder=folder)
    click.echo(f"In {found.folder}")
    for sensor, item in found.facts["items"].items():
        click.echo(f"{sensor}: {item['id']}, {item['taken'][:10]}")
    read, whole = found.bytes_read / 1e6, found.bytes_whole / 1e6
    click.echo(f"Read {read:.2f} MB of files of {whole:.2f} MB.")
    click.echo(found.facts["attribution"] + ".")
