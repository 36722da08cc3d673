"""A card's paper as bibliographies have it: a BibTeX entry, a CSL-JSON item, one line of plain text.

Nothing is guessed: an arXiv number or a DOI that does not look like one is left out. What is written here, the readers
beside it read back as it was.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import quote

from kb.authors import surname_first
from kb.records import Card

_ARXIV = re.compile(r"(?:arxiv:\s*)?(?P<number>\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?", re.IGNORECASE)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(?P<doi>10\.\d{4,9}/[^\s\"<>{}\\%]+)", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_PREPRINT = re.compile(r"arxiv|corr|biorxiv|medrxiv|ssrn", re.IGNORECASE)
_ARXIV_VENUE = re.compile(r"arxiv|corr", re.IGNORECASE)
_JOURNAL = re.compile(
    r"journal|transactions|trans\.|letters|annals|review|magazine|学报|期刊|杂志|通报|"
    r"^(?:t?pami|ijcv|tip|jmlr|tmlr|nature|science|neurocomputing|pattern recognition)\b",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV)\.?")
_SUFFIX_AT_END = re.compile(rf"[\s,]+(?P<suffix>{_SUFFIX.pattern})$")
_ORGANISATION = re.compile(
    r"\{(?P<name>[^{}]+)\}|.*\s(?:Teams?|Group|Consortium|Collaboration|AI|Research|Labs?|Inc\.?|Institute|Foundation|University)"
)
_NOT_IN_KEYS = re.compile(r"[\s,{}()=%#\\\"~@]+")

_LATEX = {
    **{mark: f"\\{mark}" for mark in "&%$#_"},
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",  # BibTeX counts braces, escaped or not: in an entry they come in pairs
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
}
_TO_ESCAPE = re.compile(r"[&%$#_\\{}~^]")
# What LaTeX would set as one character: dashes, quotation marks, Spanish marks.
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=`)(?=`)|(?<=')(?=')|(?<=[?!])(?=`)|(?<=<)(?=<)|(?<=>)(?=>)|(?<=,)(?=,)")
_FORMULA = re.compile(r"\$(?P<tex>[^\s$%](?:[^$%]*[^\s$%\\])?)\$")


class Name(NamedTuple):
    """An author's name in its parts; an organisation, or a name that cannot be told apart, is a surname alone."""

    surname: str
    given: str = ""
    suffix: str = ""


def name_parts(name: str) -> Name:
    """The parts of a name, in whichever order it is written: `van der Maaten L.`, `Smith, Jr., John`, `{Open AI}`."""
    organisation = _ORGANISATION.fullmatch(name)
    if organisation:
        return Name(organisation["name"] or name)
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 3 and _SUFFIX.fullmatch(parts[1]):
        return Name(parts[0], parts[2], parts[1])
    suffix = _SUFFIX_AT_END.search(name)
    surname, given = surname_first(name[: suffix.start()] if suffix else name)
    if not surname or (suffix and not given):  # `Elizabeth II` is nobody's junior
        return Name(name)
    return Name(surname, given, suffix["suffix"] if suffix else "")


def arxiv_number(card: Card) -> str:
    """The paper's number on arXiv, without its version; "" where the card gives none that is one."""
    found = _ARXIV.fullmatch(card.links.get("arxiv", "").strip())
    return found["number"] if found else ""


def doi(card: Card) -> str:
    """The paper's DOI; "" where the card gives none that is one."""
    found = _DOI.fullmatch(card.links.get("doi", "").strip())
    return found["doi"] if found else ""


def addresses(card: Card) -> dict[str, str]:
    """Where the paper is, the best address first: by its DOI, on arXiv, at the URL that the card gives."""
    number, name, url = arxiv_number(card), doi(card), card.links.get("url", "").strip()
    found = {
        "doi": f"https://doi.org/{quote(name, safe='/().;-_:')}" if name else "",
        "arxiv": f"https://arxiv.org/abs/{number}" if number else "",
        "url": url if _URL.fullmatch(url) else "",
    }
    return {kind: address for kind, address in found.items() if address}


def kind_of_work(card: Card) -> str:
    """What the venue makes of a paper: `preprint`, `journal` or `conference`; `preprint` where there is no venue."""
    venue = card.citation.venue
    if not venue or _PREPRINT.match(venue):
        return "preprint"
    return "journal" if _JOURNAL.search(venue) else "conference"


# ------------------------------------------------------------------------------------------------------ plain text


def plain_citation(card: Card) -> str:
    """The citation as it stands on the card, or made of its parts, with the paper's best address."""
    cited = card.citation
    authors = ", ".join(cited.authors) + (", et al." if cited.et_al else "")
    made = ", ".join(filter(None, [cited.title, " ".join(filter(None, [cited.venue, str(cited.year or "")]))]))
    text = cited.text or ". ".join(filter(None, [authors.rstrip("."), made]))
    address = next(iter(addresses(card).values()), "")
    return f"{text.rstrip('.')}. {address}" if text and address and address not in text else text


# ---------------------------------------------------------------------------------------------------------- BibTeX


def bibtex(card: Card) -> str:
    """A BibTeX entry for a card's paper, with what the card knows of it."""
    cited, number = card.citation, arxiv_number(card)
    kind, host = {
        "preprint": ("misc", "howpublished"),
        "journal": ("article", "journal"),
        "conference": ("inproceedings", "booktitle"),
    }[kind_of_work(card)]
    authors = [*map(_bibtex_name, cited.authors), *(["others"] if cited.et_al else [])]
    fields = {
        "author": " and ".join(authors),
        "title": f"{{{latex(cited.title)}}}" if cited.title else "",
        host: latex(cited.venue),
        "year": str(cited.year or ""),
        "eprint": number,
        "archiveprefix": "arXiv" if number else "",
        "doi": doi(card),
        "url": quote(addresses(card).get("url", ""), safe=":/?#[]@!$&'()*+,;=%~-._"),
        "note": "" if cited.title else latex(cited.text),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{_NOT_IN_KEYS.sub('-', card.citekey)},", *lines, "}"]) + "\n"


def _bibtex_name(name: str) -> str:
    """A name as BibTeX sorts it: `Howard A.` is `Howard, A.`; an organisation of several words is one in braces."""
    found = name_parts(name)
    if not found.given:
        return _name_part(found.surname, r"[\s,]|^others$|^[&%$#_\\{}~^]")
    divides = r",|(?:^|\s)and(?:\s|$)|^[&%$#_\\{}~^]"
    return ", ".join(_name_part(part, divides) for part in (found.surname, found.suffix, found.given) if part)


def _name_part(part: str, divides: str) -> str:
    """A part of a name; in braces where it holds what keeps names, or people, from each other."""
    return f"{{{latex(part)}}}" if re.search(divides, part, re.IGNORECASE) else latex(part)


def latex(text: str) -> str:
    """A text as LaTeX; formulas in it stay formulas."""
    text, pieces, end = " ".join(text.split()), [], 0
    for found in _FORMULA.finditer(text):
        if _is_formula(found["tex"]):
            pieces += [_escaped(text[end : found.start()]), found[0]]
            end = found.end()
    return "".join([*pieces, _escaped(text[end:])])


def _is_formula(tex: str) -> bool:
    """Whether what stands between dollar signs is TeX: a letter, or something with a command, `^` or `_` in it."""
    depths = [0]
    for brace in re.findall(r"\\.|[{}]", tex):
        depths.append(depths[-1] + {"{": 1, "}": -1}.get(brace, 0))
    escaped = re.search(r"\\(?:[{}\\]|$)", tex)  # BibTeX counts braces that TeX does not
    return not escaped and min(depths) == depths[-1] == 0 and bool(re.fullmatch(r"[A-Za-z]|.*[\\^_].*", tex))


def _escaped(text: str) -> str:
    parts = _LIGATURE.split(text)
    return "{}".join(_TO_ESCAPE.sub(lambda mark: _LATEX[mark[0]], part) for part in parts)


# -------------------------------------------------------------------------------------------------------- CSL-JSON


def csl_item(card: Card) -> dict[str, Any]:
    """A CSL-JSON item for a card's paper, as Zotero would export it."""
    cited, kind, number = card.citation, kind_of_work(card), arxiv_number(card)
    types = {"preprint": "article", "journal": "article-journal", "conference": "paper-conference"}
    venue = cited.venue or ("arXiv" if number else "")
    item = {
        "id": card.citekey,
        "citation-key": card.citekey,
        "type": types[kind],
        "title": cited.title or cited.text,
        "author": [_csl_name(name) for name in cited.authors],
        "issued": {"date-parts": [[cited.year]]} if cited.year else None,
        "publisher" if kind == "preprint" else "container-title": venue,
        "number": f"arXiv:{number}" if number else "",
        "DOI": doi(card),
        "URL": next(iter(addresses(card).values()), ""),
        "keyword": ", ".join(card.tags),
    }
    return {name: value for name, value in item.items() if value}


def _csl_name(name: str) -> dict[str, str]:
    found = name_parts(name)
    if not found.given:
        return {"literal": found.surname}
    parts = {"family": found.surname, "given": found.given, "suffix": found.suffix}
    return {key: part for key, part in parts.items() if part}
