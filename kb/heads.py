"""The head of a card: its heading, the blockquote below it, and the front matter of its file.

All three give the same fields; each is read here into one form, whoever wrote it and in whichever language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kb.file_names import excess, fault, hidden_letter, named
from kb.markdown import plain_text
from kb.plain_yaml import PlainMapping, as_plain, place_of
from kb.problems import nearest, problem
from kb.records import Citation, Place, Problem
from kb.schema import Schema

LINKS = ("arxiv", "doi", "url", "code")

# What a card may write for each field, in the blockquote or in the front matter.
_NAMES = {
    "kind": "kind, type, 类型, 类别, 种类, 文章类型, 论文类型",
    "citation": "citation, cite, reference, 引用, 引文, 引用格式, 参考文献, 文献",
    "name": "name, 名称, 简称",
    "title": "title, 标题, 题目, 题名, 论文标题, 论文题目",
    "authors": "authors, author, 作者",
    "venue": "venue, journal, conference, published in, 会议, 期刊, 会议/期刊, 期刊/会议, 刊物, 发表, 发表于, 出处",
    "year": "year, 年份, 发表年份, 年",
    "tags": "tags, tag, keywords, keyword, 标签, 关键词, 关键字",
    "aliases": "aliases, alias, 别名, 又名, 旧键",
    "arxiv": "arxiv, arxiv id",
    "doi": "doi",
    "url": "url, link, paper, pdf, 链接, 网址, 地址, 论文, 原文, 论文链接, 论文地址, 原文链接",
    "code": "code, github, repo, repository, source code, 代码, 源码, 源代码, 代码链接, 代码地址, 开源代码, 仓库",
    "date": "date, created, read, 日期, 阅读日期, 创建日期, 记录日期, 创建时间",
    "updated": "updated, modified, last updated, 更新, 更新日期, 更新时间, 修改日期",
    "status": "status, 状态, 阅读状态",
    "publish": "publish, published, public, 发布, 公开",
    "lang": "lang, language, 语言",
}
_FIELDS = {name: field_id for field_id, names in _NAMES.items() for name in names.split(", ")}
_OF_ONE_PAPER = frozenset({"name", "title", "authors", "venue", "year", "aliases", "kind", "citation", *LINKS})

_PAIR = re.compile(
    r"(?:[-*+]\s+)?(?:\*\*|__)?(?P<key>[^:：*]{1,24}?)\s*+(?:\*\*|__)?\s*+[:：](?:\*\*|__)?\s*(?P<value>.*)"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_URL = re.compile(r"https?://[^\s<>()\[\]]+(?:\([^\s<>()]*\)[^\s<>()\[\]]*)*")
_ARXIV = re.compile(r"(?<![\d.])(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?![\d.]*\d)")
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+[^\s\"<>.,;)\]]")
_KEY_AT_END = re.compile(r"(?P<name>.*?\S)\s*[\s—–|/-]\s*(?P<key>[^\s—–|/]+)")
_LONGEST_KEY = 40  # characters of a key that is proposed
_BAD_IN_KEYS = frozenset('/\\:*?"<>|#%[]{}`^&')
_PLACEHOLDER = re.compile(r"\s*\{[^{}]*\}\s*")
_TAG_SEPARATOR = re.compile(r"\s*[,，、;；]\s*|\s+(?=#)")
_FLAGS = {"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}
_STATES = {"草稿": "draft"}
_LONGEST_KIND = 24  # characters of a line that may be a kind the template does not have


@dataclass(frozen=True, slots=True)
class Head:
    """What one source (blockquote or front matter) says about a card; `places` tells where."""

    fields: Mapping[str, object] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def is_placeholder(heading: str) -> bool:
    """Whether a heading has a place to fill in, as a template's has; braces in formulas and `{#id}` are none."""
    text = re.sub(r"\$[^$]*\$|\s\{[#.:][^{}]*\}\s*$", "", heading)
    return "{" in text


def is_template(heading: str, schema: Schema) -> bool:
    """Whether a heading opens a template: its name or its key is a place to fill in. `Net{2}: Key` is a card's."""
    if not is_placeholder(plain_text(heading)) or has_citekey(heading, schema):
        return False
    name, key = read_heading(heading, schema)
    return name == key or "{" in key or bool(_PLACEHOLDER.fullmatch(name))


def has_citekey(heading: str, schema: Schema) -> bool:
    """Whether a heading ends in a key that follows the template's pattern."""
    return bool(schema.match_citekey(read_heading(heading, schema)[1]))


def read_heading(text: str, schema: Schema) -> tuple[str, str]:
    """Name and citekey in a card's heading: `NAME: KEY`, `NAME_KEY` or `KEY`."""
    text = re.sub(r"\s\{[#.:][^{}]*\}\s*$", "", plain_text(text).strip())
    splits = [_split(text, ":："), _split(text, "_"), (text, text)]
    for name, key in splits:
        if name and schema.match_citekey(key):
            return name, key
    return splits[0] if all(splits[0]) else splits[2]


def _split(text: str, separators: str) -> tuple[str, str]:
    position = max(text.rfind(separator) for separator in separators)
    return (text[:position].rstrip(), text[position + 1 :].lstrip()) if position >= 0 else ("", "")


def asked_for(line: str) -> str | None:
    """The field, or "", that a line of a blockquote is to be filled in with: `{kind: …}`, `kind: {…}`; else None."""
    if _PLACEHOLDER.fullmatch(line):
        return known_pair(line.strip()[1:-1])[0]
    known, value = known_pair(line)
    return known if _PLACEHOLDER.fullmatch(value) else None


def opens_card(quote: Iterable[str], schema: Schema) -> bool:
    """Whether the lines of a blockquote hold a kind or a citation."""
    for line in quote:
        known, value = known_pair(line)
        if known == "kind" or (known == "citation" and value):
            return True
        if not known and (_names_kind(line, schema) or _is_citation(line)):
            return True
    return False


def _names_kind(line: str, schema: Schema) -> bool:
    return not _YEAR.search(line) and bool(schema.kind_id(line))


def _is_citation(line: str) -> bool:
    from kb.citation import read_citation  # takes a while, and a new card has none

    citation = read_citation(plain_text(line))
    return citation.year is not None and bool(citation.title) and bool(citation.authors or citation.venue)


def field_of(key: str) -> str:
    """The field that a key stands for, in any of its languages; "" for one that is no field's."""
    return _FIELDS.get(key.strip().casefold(), "")


def known_pair(line: str) -> tuple[str, str]:
    """The field that a `key: value` line names, and its value; "" where its key is not a field's."""
    found = _PAIR.fullmatch(line.strip())
    known = field_of(found["key"]) if found else ""
    return (known, found["value"].strip()) if found and known else ("", "")


def pair(line: str) -> tuple[str, str]:
    """Key and value of a `key: value` line, also of one in a list, with its key in bold, or with `::`; else "", ""."""
    found = _PAIR.fullmatch(line.strip())
    return (found["key"].strip(), found["value"].lstrip(":*").strip()) if found else ("", "")


def read_field(name: str, value: object) -> object:
    """The value of a field in the form that cards have it in; ValueError where it is of another type."""
    return _READERS[name](value)


def read_quote(lines: Iterable[tuple[Place, str]], schema: Schema) -> Head:
    """The fields in a blockquote's lines, each with the place where its text begins."""
    reader = _QuoteReader(schema)
    for place, line in lines:
        if line.strip() and not _PLACEHOLDER.fullmatch(line):
            reader.line(place, line.strip())
    return reader.head()


class _QuoteReader:
    """Takes the lines of a blockquote one by one."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._fields: dict[str, object] = {}
        self._places: dict[str, Place] = {}
        self._extra: dict[str, object] = {}
        self._remarks: list[str] = []
        self._citation: list[str] = []
        self._problems: list[Problem] = []

    def line(self, place: Place, line: str) -> None:
        known, value = known_pair(line)
        cited = known == "url" and not _URL.search(value) and _YEAR.search(value)  # Paper: Howard A., et al. …, 2017
        if known == "citation" or cited:
            self._cite(place, value)
        elif known:
            self._set(known, value, place)
        elif link := _bare_link(line):
            self._set(*link, place)
        elif self._is_kind(line):
            self._set("kind", line, place)
        else:
            self._other(place, line)

    def head(self) -> Head:
        if self._citation:
            self._fields["citation"] = plain_text(" ".join(self._citation)).strip()
        if self._remarks:
            self._extra["remarks"] = tuple(self._remarks)
        return Head(self._fields, self._places, self._extra, tuple(self._problems))

    def _is_kind(self, line: str) -> bool:
        """The first line without a year that names a kind, or that could name one the template does not have."""
        if "kind" in self._fields or _YEAR.search(line):
            return False
        short = len(line) <= _LONGEST_KIND and not self._citation and not re.search(r"[.,:;：，。；“\"]", line)
        return bool(self._schema.kind_id(line)) or short

    def _other(self, place: Place, line: str) -> None:
        pair = _PAIR.fullmatch(line)
        if pair and self._is_extra(pair["key"], pair["value"]):
            self._extra[pair["key"].strip()] = pair["value"].strip()
        elif self._is_cited():
            self._remarks.append(line)
        else:
            self._cite(place, line)

    def _is_extra(self, key: str, value: str) -> bool:
        """Whether `key: value` is a field of the author's own, and not the beginning of a citation's title."""
        own = not re.search(r"[^\x00-\x7f]", key) and len(key.split()) > 2
        return not own and bool(value) and (bool(self._citation) or not _YEAR.search(value))

    def _is_cited(self) -> bool:
        """Whether the citation is complete; one that is not goes on with the next line."""
        if not self._citation:
            return False
        from kb.citation import read_citation

        citation = read_citation(plain_text(" ".join(self._citation)))
        return bool(citation.title) and citation.year is not None

    def _cite(self, place: Place, text: str) -> None:
        self._places.setdefault("citation", place)
        if text:
            self._citation.append(text)

    def _set(self, known: str, value: str, place: Place) -> None:
        if _PLACEHOLDER.fullmatch(value) or known in self._fields or not value:
            return
        try:
            self._fields[known] = _READERS[known](value)
            self._places[known] = place
        except ValueError as error:
            self._problems.append(problem("K106", place, f"`{known}` {error}"))


def _bare_link(line: str) -> tuple[str, str] | None:
    """The field of a line that is nothing but an address, or a link to one."""
    found = re.fullmatch(rf"(?:<|\[[^\[\]]*\]\()?({_URL.pattern})[>)]?", line)
    return (_link_field(found[1]), found[1]) if found else None


def _link_field(url: str) -> str:
    host = url.split("/")[2].removeprefix("www.")
    return {"arxiv.org": "arxiv", "doi.org": "doi", "dx.doi.org": "doi", "github.com": "code"}.get(host, "url")


def read_front_matter(data: object, path: str, *, one_card: bool) -> Head:
    """The fields in a file's front matter; `one_card` tells whether they may speak of one paper."""
    fields: dict[str, object] = {}
    places: dict[str, Place] = {}
    extra: dict[str, object] = {}
    problems: list[Problem] = []
    if not isinstance(data, PlainMapping):
        if data is not None:
            hint = "write `name: value` lines between the `---`"
            problems.append(problem("K106", Place(path, 2), "the front matter is not a mapping", hint))
        return Head(problems=tuple(problems))
    for key, value in data.items():
        known = _FIELDS.get(key.casefold(), "")
        if not known:
            extra[key] = value
        elif not one_card and known in _OF_ONE_PAPER:
            problems.append(_of_one_paper(key, data.places[key]))
        elif value is not None:
            places[known] = place_of(data, key, Place(path))
            try:
                fields[known] = _READERS[known](value)
            except ValueError as error:
                problems.append(problem("K106", places[known], f"`{key}` {error}"))
    return Head(fields, places, extra, tuple(problems))


def shared_front_matter(data: object) -> dict[str, object]:
    """Of a front matter, what may hold for several cards."""
    items = data.items() if isinstance(data, PlainMapping) else ()
    return {key: as_plain(value) for key, value in items if _FIELDS.get(key.casefold()) not in _OF_ONE_PAPER}


def _of_one_paper(key: str, place: Place) -> Problem:
    message = f"`{key}` speaks of one paper, and this note holds several cards"
    return problem("K106", place, message, "write it in the blockquote of its card", severity="warning")


def key_problems(key: str, place: Place, citation: Citation, schema: Schema) -> Iterator[Problem]:
    """What is wrong with a citekey by itself: characters that none may hold, another form than the template's."""
    bad = next((letter for letter in key if _is_bad(letter)), "")
    composed = unicodedata.normalize("NFC", key)
    if bad:
        message = f"the citekey `{_visible(key)}` holds {_named(bad)}, which no citekey may hold"
        yield problem("K204", place, message, _key_hint(key, citation, schema))
    elif composed != key:
        yield problem(
            "K204", place, f"the citekey `{key}` is not in composed Unicode form (NFC)", f"write `{composed}`"
        )
    elif wrong := _fault_of_key(key):
        yield problem("K204", place, f"the citekey `{key}` {wrong}", _key_hint(key, citation, schema))
    elif not schema.match_citekey(key):
        message = f"the citekey `{key}` does not follow the template's pattern"
        hint = f"{_key_hint(key, citation, schema)}, or change `citekey` in the template"
        yield problem("K205", place, message, hint)


def _fault_of_key(key: str) -> str:
    """Why a key cannot name a page, though none of its characters is bad; "" where it can."""
    if key.casefold() == "index":
        return "is the name of the list of all cards"
    return "begins with a dot, as hidden files do" if key.startswith(".") else fault(key) or excess(key)


def hidden_letters(head: Head) -> Iterator[Problem]:
    """Letters that cannot be seen in the fields of a head: two names that look the same would be two."""
    for name, value in head.fields.items():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and name in head.places:
                yield from name_problems(text, head.places[name], f"`{name}`")


def name_problems(text: str, place: Place, what: str = "the name") -> Iterator[Problem]:
    """A letter that cannot be seen in a text of a head."""
    if letter := hidden_letter(text):
        yield problem("K216", place, f"{what} holds {named(letter)}, which cannot be seen", "write it without")


def _key_hint(key: str, citation: Citation, schema: Schema) -> str:
    """What to write for a key: the one at the heading's end, else one made from the citation, else an example."""
    inside = _KEY_AT_END.fullmatch(key)
    if inside and schema.match_citekey(inside["key"]):
        return f"write `{inside['name'].rstrip('—–-|/ ')}: {inside['key']}`"
    from kb.authors import surname_first

    surname = surname_first(citation.authors[0])[0] if citation.authors else ""
    made = re.sub(r"[\s.]+", "", f"{surname}{citation.year or ''}{citation.venue}")
    if schema.match_citekey(made) and len(made) <= _LONGEST_KEY:
        return f"write `NAME: {made}`"
    return "write `NAME: KEY`, the key of author, year and venue, as in `He2016CVPR`"


def _is_bad(letter: str) -> bool:
    """Whether a character is invisible, turns the direction of text, or means something in a path or a link."""
    return unicodedata.category(letter)[0] in "CZ" or letter in _BAD_IN_KEYS


def _visible(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" if unicodedata.category(letter)[0] == "C" else letter for letter in text)


def _named(letter: str) -> str:
    if letter == " ":
        return "a space"
    return f"`{letter}`" if letter.isprintable() else named(letter)


def kind_problem(text: str, place: Place, schema: Schema) -> Problem:
    """An unknown kind, with the nearest known one."""
    kinds = schema.kinds.values()
    known = [name for kind in kinds for name in (*kind.labels.values(), kind.id)]
    hint = nearest(text, known, [" / ".join(kind.labels.values()) for kind in kinds])
    return problem("K203", place, f"`{text}` is not one of the template's kinds", hint)


def _text(value: object) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).strip()
    raise ValueError("must be a text")


def _one_line(value: object) -> str:
    return " ".join(_text(value).split())


def _texts(value: object) -> tuple[str, ...]:
    """A list of texts, or one text that separates them."""
    try:
        items = [_one_line(item) for item in value if item is not None] if isinstance(value, list) else [_text(value)]
    except ValueError:
        raise ValueError("must be a list of texts") from None
    parts = items if isinstance(value, list) else _TAG_SEPARATOR.split(items[0].strip("[]"))
    return tuple(dict.fromkeys(part for part in (part.strip() for part in parts) if part))


def _tags(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.lstrip("#").strip("`\"' ") for tag in _texts(value)))


def _authors(value: object) -> tuple[str, ...]:
    from kb.authors import split_authors

    return _texts(value) if isinstance(value, list) else split_authors(_text(value))[0]


def _year(value: object) -> int:
    found = _YEAR.fullmatch(_text(value))
    if not found:
        raise ValueError("must be a year of four digits")
    return int(found[0])


def _flag(value: object) -> bool:
    flag = value if isinstance(value, bool) else _FLAGS.get(str(value).casefold())
    if flag is None:
        raise ValueError("must be true or false")
    return flag


def _language(value: object) -> str:
    found = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*", _text(value))
    names = {"中文": "zh", "汉语": "zh", "chinese": "zh", "英文": "en", "英语": "en", "english": "en"}
    code = names.get(_text(value).casefold()) or (found[1].lower() if found else "")
    if not code:
        raise ValueError("must be a language code, such as zh or en")
    return code


def _status(value: object) -> str:
    text = _one_line(value)
    return _STATES.get(text, "draft" if text.casefold() == "draft" else text)


def _arxiv(value: object) -> str:
    found = _ARXIV.search(_text(value))
    return found[0] if found else _one_line(value)


def _doi(value: object) -> str:
    found = _DOI.search(_text(value))
    return found[0] if found else _one_line(value)


def _address(value: object) -> str:
    found = _URL.search(_text(value))
    return found[0] if found else _one_line(value).strip("<>`")


_READERS: Mapping[str, Callable[[object], object]] = {
    **dict.fromkeys(("kind", "citation", "name", "title", "venue", "date", "updated"), _one_line),
    "authors": _authors,
    "year": _year,
    "tags": _tags,
    "aliases": _texts,
    "arxiv": _arxiv,
    "doi": _doi,
    "url": _address,
    "code": _address,
    "status": _status,
    "publish": _flag,
    "lang": _language,
}


def links_in(text: str) -> Iterator[tuple[str, str]]:
    """The arXiv number and DOI that a citation ends with."""
    arxiv = re.search(rf"arxiv[:\s]*(?:preprint\s+)?(?:arxiv:)?\s*({_ARXIV.pattern})", text, re.IGNORECASE)
    if arxiv:
        yield "arxiv", arxiv[2]
    if doi := _DOI.search(text):
        yield "doi", doi[0]


def field_names() -> Mapping[str, str]:
    """The field that each name stands for, which a card may write in its blockquote or front matter."""
    return _FIELDS
