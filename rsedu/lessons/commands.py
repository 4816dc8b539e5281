"""The commands of those who write lessons: `rsedu new-lesson` and `rsedu preview`."""

import click

from rsedu.lessons import new_lesson as scaffold
from rsedu.lessons import preview as side_by_side

_HELP = {"help_option_names": ["-h", "--help"]}


@click.command(context_settings=_HELP)
@click.argument("number")
@click.argument("name")
@click.option("--question", help='Its title, such as "What does a cloud hide?".')
@click.option("--minutes", default=45, show_default=True, help="How long it takes.")
def new_lesson(number: str, name: str, question: str | None, minutes: int) -> None:
    """Write a lesson with one complete exercise, to be written over.

    NUMBER is the next one, or that of a planned lesson; NAME such as two_sensors. What is there
    already is never overwritten.
    """
    for line in scaffold.new_lesson(number, name, question=question, minutes=minutes):
        click.echo(line)


@click.command(context_settings={**_HELP, "ignore_unknown_options": True})
@click.argument("lesson")
@click.argument("lab_args", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def preview(ctx: click.Context, lesson: str, lab_args: tuple[str, ...]) -> None:
    """Open both notebooks of a LESSON side by side in JupyterLab.

    Further arguments go to JupyterLab, such as --no-browser.
    """
    ctx.exit(side_by_side.preview(lesson, lab_args))
