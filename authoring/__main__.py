"""`python -m authoring`: build lessons into notebooks, check them, count their words and cells."""

import click

from authoring.build import build as build_lessons
from authoring.new_lesson import new_lesson
from authoring.readability import measure as measure_lessons
from rsedu.cli import Kit


@click.group(cls=Kit, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Lessons, written once in solutions/ and built into two notebooks each."""


@main.command()
@click.argument("lessons", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; fail on anything that differs.")
@click.pass_context
def build(ctx: click.Context, lessons: tuple[str, ...], check: bool) -> None:
    """Write both notebooks of each lesson from its source.

    LESSONS are numbers such as 01; without any, all are built.
    """
    lines = build_lessons(lessons, check=check)
    for line in lines:
        click.echo(line)
    ctx.exit(1 if check and lines else 0)


@main.command()
@click.option("--strict", is_flag=True, help="Fail where a lesson misses its targets.")
@click.pass_context
def measure(ctx: click.Context, strict: bool) -> None:
    """Count cells, lines and words of each lesson, beside the targets."""
    table, misses = measure_lessons()
    click.echo(table)
    for miss in misses:
        click.echo(miss)
    ctx.exit(1 if strict and misses else 0)


@main.command()
@click.argument("number")
@click.argument("name")
@click.option("--question", required=True, help='Its title, such as "What does a cloud hide?".')
@click.option("--minutes", default=45, show_default=True, help="How long it takes.")
def new(number: str, name: str, question: str, minutes: int) -> None:
    """Write a lesson with one complete exercise, to be written over.

    NUMBER is the next one; NAME such as two_sensors. What is there already is never overwritten.
    """
    for line in new_lesson(number, name, question=question, minutes=minutes):
        click.echo(line)


if __name__ == "__main__":
    main(prog_name="python -m authoring")
