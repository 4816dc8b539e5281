"""The command `rsedu`. Everything heavy is imported by the command that needs it."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from rsedu.errors import RseduError


class Kit(click.Group):
    """Lazy group of commands; the kit's own errors are one line and exit status 2, no traceback.

    Unlike the group in click's documentation, it imports no command to list them all: what each
    one does stands here.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **settings: Any
    ) -> None:
        """Take also, by the name of a command: the module that defines it, and what it does."""
        super().__init__(*args, **settings)
        self._lazy = lazy or {}
        for name, (_, does) in self._lazy.items():
            self.add_command(click.Command(name, short_help=f"{does}."))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and name in self._lazy:
            command = getattr(import_module(self._lazy[name][0]), name)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command."""
        try:
            return super().invoke(ctx)
        except RseduError as error:
            click.echo(f"rsedu: {error}", err=True)
            ctx.exit(2)


@click.group(
    "rsedu",
    cls=Kit,
    context_settings={"help_option_names": ["-h", "--help"]},
    lazy={
        "pretrain": ("rsedu.pretraining.command", "Pre-train a model of the kit"),
        "score": ("rsedu.project.command", "Score a change map of a synthetic place"),
        "board": ("rsedu.project.command", "Print the ranking of a scoreboard's folder"),
        "report": ("rsedu.project.command", "Write a group's one-page report"),
        "data": ("rsedu.datasets.command", "Fetch real data sets and Sentinel scenes"),
        "grade": ("rsedu.grade.command", "Grade a folder of notebooks against the key"),
    },
)
@click.version_option(package_name="rsedu")
def main() -> None:
    """A teaching kit on multi-modal learning in remote sensing."""


@main.command()
@click.option("--report", "as_report", is_flag=True, help="Print what to paste before a class.")
@click.pass_context
def doctor(ctx: click.Context, as_report: bool) -> None:
    """Say whether the lessons can run here, and what to do where they cannot.

    Exit status 1 if something needed is missing.
    """
    from rsedu.doctor import examine, is_healthy, render, report

    findings = examine()
    click.echo(report(findings) if as_report else render(findings))
    ctx.exit(0 if is_healthy(findings) else 1)
