"""Mendings of what stands at the head of a card: headings, citekey, blockquote, front matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from kb.heads import field_of, is_placeholder, known_pair, read_heading
from kb.line_renderer import slug_of
from kb.markdown import headings, plain_text
from kb.mendings.source import Edit, Source, line_edit
from kb.notes import section_headings_of
from kb.schema import Schema, normal_heading
from kb.slicing import quote_lines

_HEADING = re.compile(r" {0,3}(?P<marks>[#＃]{1,6})(?P<gap>\s*)(?P<text>[^\s#＃].*?)(?:\s+#+)?\s*")
_KEY_LINE = re.compile(r"(?P<key>[^\s:：#][^:：]{0,23}?)\s*[:：](?:\s*)(?P<value>.*)")
_COLON = re.compile(r"\s*[:：]\s*((?:\*\*|__)?)\s*$")
_SEPARATOR = re.compile(r"\s*[,，、;；]\s*")
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")
_BOLD = re.compile(r"(\*\*|__)(?P<inner>(?:(?!\1).)+)\1")
_SHORT = frozenset({"arxiv", "doi", "url", "code", "year", "date", "updated", "lang", "publish"})
_LISTS = frozenset({"tags", "aliases"})
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_LETTERS = {code: narrow for code, narrow in _FULL_WIDTH.items() if chr(narrow).isalnum()}
_STOPS = {ord("，"): ", ", ord("；"): "; ", ord("："): ": ", ord("．"): ". ", ord("（"): " (", ord("）"): ") "}


def heading_marks(source: Source) -> Iterator[Edit]:
    """`####Method` and `＃＃＃＃ Method`, which are no headings, where a section or a card is meant."""
    for number, line in enumerate(source.lines):
        found = _HEADING.fullmatch(line) if number not in source.verbatim else None
        if found and (found["gap"].strip(" \t") or not found["gap"] or "＃" in found["marks"]):
            level, text = len(found["marks"]), found["text"]
            if not is_placeholder(text) and _is_meant(text, level, source.schema):
                yield Edit(number, number + 1, (f"{'#' * level} {text}",))


def _is_meant(text: str, level: int, schema: Schema) -> bool:
    """Whether a text behind marks names a section or a card; `#方法` may be a tag."""
    key = _key_as_written(text, schema)
    names_card = key != text and bool(schema.match_citekey(clean_key(key, schema)))
    return names_card or (level > 1 and bool(schema.section_id(text)))


def front_matter(source: Source) -> Iterator[Edit]:
    """Full-width marks in the front matter, which YAML does not read: `标签：a，b`, `year: ２０１８`."""
    for number, line in enumerate(source.lines[1 : source.front - 1], 1):
        found = _KEY_LINE.fullmatch(line)
        known = field_of(found["key"]) if found else ""
        if found and known:
            before = line[: found.start("value")]
            colon = f"{found['key']}: " if "：" in before else before
            yield from line_edit(number, line, colon + _in_yaml(known, found["value"]))


def _in_yaml(known: str, value: str) -> str:
    if known in _LISTS:
        return re.sub(r"\s*[，、；]\s*", ", ", value)
    return value.translate(_FULL_WIDTH) if known in _SHORT else value


def card_headings(source: Source) -> Iterator[Edit]:
    """`### NAME: KEY` for `### NAME_KEY`, `###  NAME：KEY ###` and the like."""
    for each in source.cards:
        heading = each.heading
        text = _named(_without_bold(heading.text), source.schema)
        yield from line_edit(heading.line, source.lines[heading.line], f"{'#' * heading.level} {text}")


def _named(text: str, schema: Schema) -> str:
    """A card's heading in the form `NAME: KEY`; as it is where its parts cannot be told."""
    key = read_heading(text, schema)[1]
    found = re.fullmatch(rf"(?P<name>.*\S)\s*(?:[:：]|\\?_)\s*{re.escape(key)}(?P<rest>\s+\{{[#.:][^{{}}]*\}})?", text)
    return f"{found['name'].rstrip()}: {key}{found['rest'] or ''}" if found else text


def citekeys(source: Source) -> Iterator[Edit]:
    """Citekeys in composed form and without invisible characters, in headings and in links."""
    lines = list(source.lines)
    for each in source.cards:
        key = _key_as_written(each.heading.text, source.schema)
        before, there, after = lines[each.heading.line].rpartition(key)
        if there:
            lines[each.heading.line] = before + clean_key(key, source.schema) + after
    for link in reversed(source.wiki_links):
        line, name = lines[link.line - 1], link.target.partition("#")[0].strip()
        clean = clean_key(name, source.schema)
        if source.schema.match_citekey(clean):
            start, end = line[: link.column - 1], line[link.column - 1 :]
            lines[link.line - 1] = start + end.replace(name, clean, 1)
    for number, line in enumerate(source.lines):
        yield from line_edit(number, line, lines[number])


def _key_as_written(text: str, schema: Schema) -> str:
    """The citekey in a heading, also behind a `_` where it cannot be read before it is mended."""
    key = read_heading(text, schema)[1]
    tail = key.rpartition("_")[2]
    return tail if not schema.match_citekey(key) and schema.match_citekey(clean_key(tail, schema)) else key


def clean_key(key: str, schema: Schema) -> str:
    """A citekey without what cannot be seen in it, in composed form; full width only where the pattern wants it."""
    seen = "".join(letter for letter in key if unicodedata.category(letter) not in ("Cf", "Cc"))
    narrow = unicodedata.normalize("NFC", seen.translate(_FULL_WIDTH))
    return narrow if schema.match_citekey(narrow) else unicodedata.normalize("NFC", seen)


def section_headings(source: Source) -> Iterator[Edit]:
    """The sections' headings as the template writes them, where only marks at their ends differ."""
    forms = {normal_heading(each.text): each.text for each in headings(source.schema.template)}
    for each in source.cards:
        for block in section_headings_of(each, source.reading):
            if source.schema.section_id(block.text):
                text = _in_form(block.text, forms.get(normal_heading(block.text), ""))
                yield from line_edit(block.line, source.lines[block.line], f"{'#' * block.level} {text}")


def _in_form(text: str, form: str) -> str:
    """A section's heading in the template's form, if a link to it leads to both; else with its marks in order."""
    if form and slug_of(plain_text(form)) == slug_of(plain_text(text)):
        return form
    text = re.sub(r"\s+([:：])$", r"\1", " ".join(_without_bold(text).split()))
    return f"{text[:-1]}：" if text.endswith(":") and _IDEOGRAPH.match(text[-2:-1]) else text


def _without_bold(text: str) -> str:
    """A heading's text without the asterisks around all of it."""
    found = _BOLD.fullmatch(text.strip())
    return found["inner"].strip() if found else text.strip()


def blockquotes(source: Source) -> Iterator[Edit]:
    """`> ` before every line of a card's blockquote, and nothing behind it."""
    for each in source.cards:
        for place, text in quote_lines(each.quote, source.reading) if each.quote else ():
            yield from line_edit(place.line - 1, source.lines[place.line - 1], f"> {text}".rstrip())


def metadata(source: Source) -> Iterator[Edit]:
    """Full-width marks in a card's blockquote: `标签：a，b`, `＃tag`, `arXiv：１８０１.０４３８１`."""
    for each in source.cards:
        for place, text in quote_lines(each.quote, source.reading) if each.quote else ():
            line = source.lines[place.line - 1]
            if text:
                yield from line_edit(place.line - 1, line, line.replace(text, _mended_line(text), 1))


def _mended_line(text: str) -> str:
    known, value = known_pair(text)
    if not known:
        return _mended_value("citation", text)
    before = _COLON.sub(r":\1 ", text.removesuffix(value))
    return (before + _mended_value(known, value)).rstrip()


def _mended_value(known: str, value: str) -> str:
    """The value of a field with half-width marks; words in Chinese keep theirs."""
    if known in _SHORT:
        return value.translate(_FULL_WIDTH)
    if known in _LISTS:
        return _SEPARATOR.sub(", ", value).replace("＃", "#").strip(", ")
    return _mended_citation(value) if known == "citation" else value


def _mended_citation(text: str) -> str:
    if _IDEOGRAPH.search(text):
        return text.translate(_LETTERS)
    return " ".join(text.translate(_STOPS).translate(_FULL_WIDTH).split()).replace(" ,", ",").replace(" .", ".")
