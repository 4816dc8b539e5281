"""HTML that carries strangers' text: everything is escaped unless it was made here."""

import hashlib
import html
from pathlib import Path

_STYLE = Path(__file__).with_name("page.css")
# No script, no image, no address is followed, even if something got through.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
MARKS = {
    "passed": "\N{CHECK MARK}",
    "wrong value": "\N{BALLOT X}",
    "wrong kind": "\N{BALLOT X}",
    "error": "!",
    "not started": "\N{EN DASH}",
}


class Html(str):
    """Text that is HTML already."""


def element(name: str, *inside: object, **attributes: object) -> Html:
    """Write one element.

    Args:
        name: of the element.
        inside: what stands in it, one after the other; `Html` as it is, all else escaped.
        attributes: escaped; a trailing _ is dropped (`class_`), an inner one becomes a hyphen, and
            True is an attribute without a value, None or False is none.
    """
    written = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        plain = key.rstrip("_").replace("_", "-")
        written.append(plain if value is True else f'{plain}="{html.escape(str(value))}"')
    return Html(f"<{' '.join(written)}>{join(*inside)}</{name}>")


def join(*inside: object) -> Html:
    """Put parts one after the other; what is not `Html` is escaped."""
    return Html(
        "".join(each if isinstance(each, Html) else html.escape(str(each)) for each in inside)
    )


def code(source: str) -> Html:
    """A listing whose lines are counted, as tracebacks count them."""
    lines = [element("span", line or " ", class_="line") for line in source.splitlines()]
    return element("pre", Html("\n".join(lines) or "(empty)"), class_="code", tabindex="0")


def badge(state: str) -> Html:
    """A verdict's state: a sign and a word, so that colour is never alone."""
    sign = element("span", MARKS.get(state, "?"), aria_hidden="true")
    return element("span", sign, " ", state, class_=f"badge {state.replace(' ', '-')}")


def number(value: float) -> str:
    """Points, without decimals that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def slug(student: str) -> str:
    """Name of a student's page: safe as a file name, and no two students have the same."""
    kept = "".join(each if each.isascii() and each.isalnum() else "-" for each in student)[:40]
    tail = hashlib.sha256(student.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{kept.strip('-') or 'student'}-{tail}.html"


def page(title: str, *body: object) -> str:
    """A whole page, with its style in it.

    Args:
        title: of the window; escaped.
        body: what stands in it.
    """
    head = join(
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        element("title", title),
        element("style", Html(_STYLE.read_text(encoding="utf-8"))),
    )
    whole = element(
        "html", element("head", head), element("body", element("main", *body)), lang="en"
    )
    return f"<!DOCTYPE html>\n{whole}\n"
