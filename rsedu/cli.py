"""The command `rsedu`. Everything heavy is imported by the command that needs it."""

import json
from dataclasses import asdict
from importlib import import_module
from typing import Any

import click

from rsedu.errors import RseduError


class Kit(click.Group):
    """A group in which the kit's own errors are one line and exit status 2, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command."""
        try:
            return super().invoke(ctx)
        except RseduError as error:
            click.echo(f"rsedu: {error}", err=True)
            ctx.exit(2)


@click.group(cls=Kit, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rsedu")
def main() -> None:
    """A teaching kit on multi-modal learning in remote sensing."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--report", "as_report", is_flag=True, help="Print what to paste before a class.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, as_report: bool) -> None:
    """Say whether the lessons can run here, and what to do where they cannot.

    Exit status 1 if something needed is missing.
    """
    from rsedu.doctor import examine, is_healthy, render, report

    findings = examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        click.echo(report(findings) if as_report else render(findings))
    ctx.exit(0 if is_healthy(findings) else 1)


#: Name -> module and what it does. Options stand beside what they set, and are read only when the
#: command is called, so that `rsedu --help` imports nothing heavy.
ELSEWHERE = {
    "pretrain": ("rsedu.pretraining.command", "Pre-train a model of the kit"),
    "score": ("rsedu.project.command", "Score a change map of a synthetic place"),
    "board": ("rsedu.project.command", "Print the ranking of a scoreboard's folder"),
    "report": ("rsedu.project.command", "Write a group's one-page report"),
    "data": ("rsedu.datasets.command", "Fetch real data sets and Sentinel scenes"),
    "grade": ("rsedu.grade.command", "Grade a folder of notebooks against the key"),
}


def _hand_on(name: str, module: str, does: str) -> None:
    """Make a command that hands all it is given to the one of that name in a module."""

    @main.command(
        name,
        short_help=f"{does}.",
        help=f"{does}; --help lists the options.",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    @click.pass_context
    def _(ctx: click.Context) -> None:
        command: click.Command = getattr(import_module(module), name.replace("-", "_"))
        # A status where the command asked for one, else nothing.
        ctx.exit(command.main(ctx.args, prog_name=f"rsedu {name}", standalone_mode=False) or 0)


for _name, (_module, _does) in ELSEWHERE.items():
    _hand_on(_name, _module, _does)
