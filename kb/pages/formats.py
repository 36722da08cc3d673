"""Numbers and texts as pages show them; everything that a user wrote is escaped here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from textwrap import indent

from markupsafe import Markup, escape

from kb.figures import number_in
from kb.records import Printed

SCALES = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K"))
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_MARKDOWN = re.compile(r"[^\w\s，。、：；！？（）《》“”‘’·—…]|_")


def markdown_text(text: str) -> Markup:
    """Text that Markdown, HTML and attribute lists all read as itself: every mark as a character reference."""
    return Markup(_MARKDOWN.sub(lambda mark: f"&#{ord(mark[0])};", " ".join(text.split())))


def our_markdown(text: str) -> Markup:
    """Markdown of our own texts, as it stands."""
    return Markup(text)


def code_block(text: str) -> Markup:
    """A text as a block of code: indented, which Markdown escapes."""
    return Markup(indent(text.rstrip(), "    ", lambda _: True))


def front_matter(values: Mapping[str, object], **more: object) -> Markup:
    """A page's front matter. Themes print what is in it as it stands, so it is escaped; `kb` is for our own part."""
    given = {**values, **more}
    common = {key: given[key] for key in ("title", "description") if given.get(key)}
    ours = given.get("kb")
    whole = {**given, "kb": {**common, **(ours if isinstance(ours, Mapping) else {})}}
    return Markup("---\n" + "".join(f"{key}: {_flow(_escaped(value))}\n" for key, value in whole.items()) + "---\n")


def _flow(value: object) -> str:
    """A value on one line: JSON is YAML, but for characters that YAML wants to be escaped."""
    written = json.dumps(value, ensure_ascii=False)
    return written if written.isprintable() else _UNPRINTABLE.sub(lambda found: f"\\U{ord(found[0]):08x}", written)


def _escaped(value: object) -> object:
    """Plain data, its texts escaped for HTML; Markup is that already."""
    if isinstance(value, Mapping):
        return {key: _escaped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    return str(escape(value)) if isinstance(value, str) else value


def json_members(data: Mapping[str, object]) -> Markup:
    """The members of a JSON object without its braces, to stand within `<script>`: no text in it can end that."""
    text = json.dumps(data, ensure_ascii=False)[1:-1]
    return Markup(re.sub(r"[<>&'\u2028\u2029]", lambda mark: f"\\u{ord(mark[0]):04x}", text))


def breakable(call: str) -> Markup:
    """A call that may be broken where its words end, so that a narrow column can hold it."""
    return Markup("<wbr>").join(re.split(r"(?<=[(_,])(?!\))", call))


def grouped(number: int) -> str:
    """3504872 as 3,504,872."""
    return f"{number:,}"


def short(number: int) -> str:
    """3504872 as 3.50 M."""
    for scale, unit in SCALES:
        if abs(number) >= scale:
            return f"{significant(Decimal(number) / scale)} {unit}"
    return str(number)


def significant(value: Decimal, digits: int = 3) -> str:
    """A number to so many digits, but never fewer than its whole part has."""
    whole = len(str(abs(int(value)))) if abs(value) >= 1 else 0
    return f"{value:.{max(digits - whole, 0)}f}"


def like_printed(number: int, printed: Printed) -> str:
    """A measured number in the unit of the printed figure, with a digit or so more than it; whole where it has none."""
    digits = Decimal(number_in(printed) or 0)
    if not printed.unit or not digits or not printed.value:
        return grouped(number)
    value = number * digits / printed.value
    decimals = max(-int(digits.as_tuple().exponent) + 1, 2 if abs(value) < 100 else 1)
    return f"{value:.{decimals}f} {printed.unit}"


def percent(part: int, whole: int) -> str:
    """A share to a tenth of a per cent; tiny ones are not shown as nothing."""
    if not whole:
        return "–"
    share = Decimal(100 * part) / whole
    return "< 0.1 %" if 0 < share < Decimal("0.05") else f"{share:.1f} %"


def mebibytes(count: int) -> str:
    """A number of bytes for people."""
    return f"{significant(Decimal(count) / 2**20)} MiB" if count >= 2**20 else f"{count / 1024:.1f} KiB"


def shape(sizes: tuple[int, ...]) -> str:
    """A tensor's shape: 1×3×224×224."""
    return "×".join(map(str, sizes)) or "–"
