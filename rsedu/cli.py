"""The command `rsedu`. Everything heavy is imported by the command that needs it."""

import json
from dataclasses import asdict
from typing import Any

import click

from rsedu.errors import RseduError


class _Kit(click.Group):
    """A group in which the kit's own errors are one line and exit status 2, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RseduError as error:
            click.echo(f"rsedu: {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Kit, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rsedu")
def main() -> None:
    """A teaching kit on multi-modal learning in remote sensing."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say whether the lessons can run here, and what to do where they cannot.

    Exit status 1 if something needed is missing.
    """
    from rsedu.doctor import examine, is_healthy, render

    findings = examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        click.echo(render(findings))
    ctx.exit(0 if is_healthy(findings) else 1)


@main.command()
@click.argument("lessons", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; fail on anything that differs.")
@click.pass_context
def build(ctx: click.Context, lessons: tuple[str, ...], check: bool) -> None:
    """Write both notebooks of each lesson from its source.

    LESSONS are numbers such as 01; without any, all are built.
    """
    from rsedu.lessons.build import build as build_lessons

    lines = build_lessons(lessons, check=check)
    for line in lines:
        click.echo(line)
    ctx.exit(1 if check and lines else 0)


@main.command()
@click.option("--strict", is_flag=True, help="Fail where a lesson misses its targets.")
@click.pass_context
def measure(ctx: click.Context, strict: bool) -> None:
    """Count cells, lines and words of each lesson, beside the targets."""
    from rsedu.lessons.measure import measure as measure_lessons

    table, misses = measure_lessons()
    click.echo(table)
    for miss in misses:
        click.echo(miss)
    ctx.exit(1 if strict and misses else 0)


@main.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def pretrain(ctx: click.Context) -> None:
    """Pre-train a model of the kit; --help lists the options."""
    # Its options stand beside the recipes, which torchrun starts without this file.
    from rsedu.pretrain import pretrain as command

    command.main(ctx.args, prog_name="rsedu pretrain", standalone_mode=False)


@main.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def score(ctx: click.Context) -> None:
    """Score a change map of a synthetic place; --help lists the options."""
    from rsedu.project.commands import score as command

    command.main(ctx.args, prog_name="rsedu score", standalone_mode=False)


@main.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def board(ctx: click.Context) -> None:
    """Print the ranking of a scoreboard's folder; --help lists the options."""
    from rsedu.project.commands import board as command

    command.main(ctx.args, prog_name="rsedu board", standalone_mode=False)


@main.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def report(ctx: click.Context) -> None:
    """Write a group's one-page report; --help lists the options."""
    from rsedu.project.commands import report as command

    command.main(ctx.args, prog_name="rsedu report", standalone_mode=False)


@main.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def data(ctx: click.Context) -> None:
    """Fetch real data sets and Sentinel scenes; --help lists the commands."""
    from rsedu.data.commands import data as command

    command.main(ctx.args, prog_name="rsedu data", standalone_mode=False)
