"""BibTeX and BibLaTeX, also as Better BibTeX writes them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping

from bibtexparser.library import Library as Parsed
from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names
from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, ExplicitComment, ImplicitComment
from bibtexparser.model import Entry as ParsedEntry
from bibtexparser.splitter import Splitter
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

from kb.bibliography.fields import arxiv_in, doi_in, markdown, plain, without, year_in
from kb.bibliography.records import Author, Entry, Library, Skipped
from kb.problems import problem
from kb.records import Place, Problem

_VENUES = ("shortjournal", "journaltitle", "journal", "booktitle", "eventtitle", "series", "publisher", "institution")
_FILE = re.compile(r"[^/\\:;]+\.\w{1,5}(?=:|;|$)")  # `Full Text:/home/me/x.pdf:application/pdf`
_USED = (
    *("author", "title", "shorttitle", "year", "date", "doi", "url", "abstract", "note", "annote", "annotation"),
    *("keywords", "file", "eprint", "archiveprefix", "eprinttype"),
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905 - BibTeX's own strings
_JOINED = re.compile(r"\s*#\s*")
_MARKUP = re.compile(r"[\\{}~$]|--|``|''")
_PERCENT = re.compile(r"(?<!\\)%")


def read(text: str, path: str) -> Library:
    """The entries of a BibTeX file; what BibTeX itself could not read is reported with its line."""
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # failures are values, and reported below
    splitter = Splitter(bibstr=text.removeprefix("\ufeff").replace("\r\n", "\n"))
    parsed = splitter.split()
    strings = {each.key.casefold(): _unquoted(each.value, {}) for each in parsed.strings}
    values = {month: month.capitalize() for month in _MONTHS} | strings
    entries = tuple(_entry(each, path, values) for each in _entries(parsed))
    return Library("bibtex", entries, tuple(_skipped(parsed, path)), tuple(_problems(parsed, path)))


def _entries(parsed: Parsed) -> Iterator[ParsedEntry]:
    """The entries in their order; of a key or a field that stands twice, all are read, and the mistake is reported."""
    for block in parsed.blocks:
        if isinstance(block, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock):
            block = block.ignore_error_block or block
        if isinstance(block, ParsedEntry):
            yield block


def _entry(parsed: ParsedEntry, path: str, strings: Mapping[str, str]) -> Entry:
    raw: dict[str, str] = {}
    for each in parsed.fields:
        name, value = each.key.casefold(), _unquoted(str(each.value), strings)
        raw[name] = f"{raw[name]}; {value}" if name in raw else value
    text = {name: _decoded(value) for name, value in raw.items()}
    authors, et_al = _authors(raw.get("author") or raw.get("editor", ""))
    venue = next((name for name in _VENUES if text.get(name)), "")
    arxiv = _arxiv(text)
    return Entry(
        place=Place(path, (parsed.start_line or 0) + 1),
        type=parsed.entry_type.casefold(),
        key=parsed.key,
        title=plain(text.get("title", "")),
        short_title=plain(text.get("shorttitle", "")),
        authors=authors,
        et_al=et_al,
        venue=text.get(venue, "") or ("arXiv" if arxiv else ""),
        year=year_in(text.get("year", "")) or year_in(text.get("date", "")),
        doi=doi_in(raw.get("doi", "")),
        arxiv=arxiv,
        url=raw.get("url", "").replace("\\", ""),
        tags=tuple(filter(None, (tag.strip() for tag in re.split(r"[,;]", text.get("keywords", ""))))),
        abstract=markdown(text.get("abstract", "")),
        notes=tuple(markdown(text[name]) for name in ("note", "annote", "annotation") if text.get(name)),
        files=tuple(_FILE.findall(raw.get("file", ""))),
        other=without(text, (*_USED, venue, *(() if raw.get("author") else ("editor",)))),
    )


def _arxiv(text: Mapping[str, str]) -> str:
    kind = (text.get("archiveprefix") or text.get("eprinttype") or "").casefold()
    eprint = text.get("eprint", "") if kind in ("", "arxiv") else ""
    return arxiv_in(eprint, *(text.get(name, "") for name in ("url", "journal", "journaltitle", "howpublished")))


def _unquoted(value: str, strings: Mapping[str, str]) -> str:
    """A value without its braces or quotation marks, and with the strings that it names; `a # b` is joined."""
    value = value.strip()
    if (value[:1], value[-1:]) == ("{", "}") and _closes_at_end(value):
        return value[1:-1].strip()
    parts = [value] if value.startswith('"') and value.count('"') == 2 else _JOINED.split(value)
    return "".join(part[1:-1] if part[:1] in '{"' else strings.get(part.casefold(), part) for part in parts if part)


def _closes_at_end(value: str) -> bool:
    """Whether the first brace is closed by the last one."""
    depth = 0
    for position, letter in enumerate(value):
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return position == len(value) - 1
    return False


# What pylatexenc does not know, or takes for another character.
_TEXT_MACROS = {"textbraceleft": "{", "textbraceright": "}", "textasciicircum": "^"}
_context = get_default_latex_context_db()
_context.add_context_category("kb", [MacroTextSpec(*pair) for pair in _TEXT_MACROS.items()], prepend=True)
_latex = LatexNodes2Text(latex_context=_context, math_mode="verbatim", keep_comments=True)


def _decoded(value: str) -> str:
    """LaTeX as text, formulas to the letter; a `%` is no comment here, as it is none to BibTeX."""
    if not _MARKUP.search(value):
        return value
    try:
        return str(_latex.latex_to_text(_PERCENT.sub(r"\\%", value)))
    except Exception:  # noqa: BLE001 - what the decoder cannot read is kept as it is written
        return value


def _authors(names: str) -> tuple[tuple[Author, ...], bool]:
    parts = split_multiple_persons_names(names) if names else []
    et_al = bool(parts) and parts[-1].casefold() == "others"
    return tuple(_author(part) for part in (parts[:-1] if et_al else parts)), et_al


def _author(name: str) -> Author:
    parts = parse_single_name_into_parts(name, strict=False)
    family, given = " ".join([*parts.von, *parts.last]), " ".join([*parts.first, *parts.jr])
    return Author(_decoded(family), _decoded(given)) if family else Author(_decoded(name))


def _skipped(parsed: Parsed, path: str) -> Iterator[Skipped]:
    for block in parsed.comments:
        words = block.comment.strip()
        if words and not words.startswith(("%", "jabref", "Exported from")):
            why = {ExplicitComment: "a comment", ImplicitComment: "text between entries"}.get(type(block), "a comment")
            yield Skipped(Place(path, (block.start_line or 0) + 1), words.splitlines()[0], why)


def _problems(parsed: Parsed, path: str) -> Iterator[Problem]:
    for block in parsed.failed_blocks:
        place = Place(path, (block.start_line or 0) + 1)
        if isinstance(block, DuplicateBlockKeyBlock):
            hint = "give one of the two another key"
            yield problem("K206", place, f"the key `{block.key}` stands twice", hint, severity="warning")
        elif isinstance(block, DuplicateFieldKeyBlock):
            names = ", ".join(f"`{name}`" for name in sorted(block.duplicate_keys))
            yield problem("K105", place, f"the entry has {names} twice", "keep one of the two", severity="warning")
        else:
            words = " ".join(str(getattr(block.error, "abort_reason", block.error)).split())
            yield problem("K107", place, f"the entry cannot be read: {words}", "mend its braces and commas")
