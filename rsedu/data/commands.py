"""The commands `rsedu data list | get | verify`."""

from pathlib import Path

import click

from rsedu.data import catalogue, store

_HELP = {"help_option_names": ["-h", "--help"]}
_to = click.option(
    "--to", "folder", type=click.Path(path_type=Path), default=store.FOLDER, show_default=True
)


@click.group(context_settings=_HELP)
def data() -> None:
    """Fetch real data sets and Sentinel scenes; the lessons need none of them."""


@data.command("list")
def list_sets() -> None:
    """List the data sets: size, licence, checksum, attribution."""
    click.echo(catalogue.render())


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
        click.echo(f"In {store.get_torchgeo(name.removeprefix('torchgeo:'), folder)}")
        return
    wanted = catalogue.find(name)
    click.echo(f"{name}: {wanted.size}, licence: {wanted.licence}", err=True)
    part = store.Subset(count=subset, classes=classes, seed=seed) if subset else None
    click.echo(f"In {store.get(wanted, folder, subset=part)}")
    click.echo(f"Please cite: {wanted.attribution}")


@data.command()
@click.argument("name", required=False)
@_to
def verify(name: str | None, folder: Path) -> None:
    """Compare fetched archives with their published or recorded checksums."""
    here = [each for each in catalogue.SETS if (folder / each / store.RECORD).is_file()]
    for each in [name] if name else here:
        for line in store.verify(catalogue.find(each), folder):
            click.echo(line)
    if not name and not here:
        click.echo(f"Nothing was fetched into {folder} yet: rsedu data list.")
