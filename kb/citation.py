"""Citations as people print them: authors, title, venue and year, and BibTeX entries made from them.

What cannot be read stays empty: a wrong title is worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from kb.authors import authors_end, split_authors, surname_first
from kb.records import Card, Citation

__all__ = ["bibtex", "read_citation", "split_authors"]

_PLAIN = str.maketrans("，。；：（）［］“”„「」『』．", ',.;:()[]""""""".')
_LABEL = re.compile(r"\s*(?:\[\d+\]|\(\d+\)|\d{1,3}\.(?=\s)|[-*•])\s*")
_URL = re.compile(r"(?:\[online\]\.?\s*)?(?:available(?:\s+at)?:?\s*|url:?\s*)?https?://\S+", re.IGNORECASE)
_DOI = re.compile(r"(?:doi[:\s]\s*)?\b10\.\d{4,9}/\S+", re.IGNORECASE)
_ACCESSED = re.compile(r"[\[(]?\b(?:accessed|retrieved|last accessed|visited)\b[^\])]*[\])]?\.?\s*$", re.IGNORECASE)
_ARXIV = re.compile(
    r"\b(?:arxiv\s+preprint\s*)?(?P<venue>arxiv)\b(?:\s+(?:preprint|e-prints?))?\s*[:,]?\s*(?:arxiv:)?\s*"
    r"(?:abs/)?(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\s*\[[\w.-]+\])?",
    re.IGNORECASE,
)
_CORR = re.compile(r"\b(?P<venue>CoRR)[,\s]+(?:abs/)?\d{4}\.\d{4,5}(?:v\d+)?", re.IGNORECASE)
_YEAR_DIGITS = r"(?<![\d./:-])(?P<year>(?:19|20)\d\d)(?![\d/:]|[-–]\d|\.\d)[a-z]?"
_YEAR = re.compile(_YEAR_DIGITS)
_GBT = re.compile(r"\s*\[(?:[JCMDRNPSAGZ]|EB|DB|CP|DS)(?:/(?:OL|CD|DK|MT))?\]\s*(?:\.\s*)?(?P<host>//\s*|In:?\s+)?")
_QUOTED = re.compile(
    r"\"(?P<title>[^\"]{6,}?)[,.]?\"|《(?P<title2>[^》]{4,})》|(?<=[\s)])[‘'](?P<title3>.{6,}?)[,.]?[’'](?=[,.\s])"
)
_DATED = re.compile(
    r"[,.\s]*\((?P<year>(?:19|20)\d\d)[a-z]?(?:,\s*[^()]*)?\)\s*[.,:]?\s*|\.\s*(?P<year2>(?:19|20)\d\d)[a-z]?\.\s+"
)

_KNOWN = (
    r"arxiv|corr|cvprw?|iccvw?|eccvw?|wacv|accv|bmvc|3dv|miccai|isbi|midl|neurips|nips|icml|iclr|aistats|uai|colt|aaai|"
    r"ijcai|kdd|www|sigir|cikm|wsdm|recsys|acl|emnlp|naacl|eacl|coling|tacl|interspeech|icassp|icip|icpr|icme|acm\s?mm|"
    r"mm|icra|iros|rss|corl|siggraph(?:\sasia)?|eurographics|chi|uist|osdi|sosp|isca|micro|asplos|hpca|dac|date|mlsys|"
    r"sysml|nsdi|atc|vldb|sigmod|icde|stoc|focs|soda|t?pami|ijcv|tip|tmm|tcsvt|tnnls|tmi|tgrs|tog|jmlr|tmlr|pnas|nature|"
    r"science|cell|neurocomputing|neural networks|neural computation|pattern recognition|biorxiv|medrxiv|openreview|"
    r"ssrn"
)
_VENUE_WORDS = (
    r"proceedings|proc\.?|conference|conf\.?|workshops?|journal|j\.|transactions|trans\.?|symposium|letters|"
    r"advances in|annals|review of|magazine|lecture notes|preprint|technical report|tech\.? report|thesis|dissertation|springer|"
    r"university|press|blog"
)
_VENUE = re.compile(
    rf"(?:in:?\s+)?(?:(?:{_KNOWN})\b.*|.*\b(?:{_VENUE_WORDS})(?:\b|(?<=\.)).*|.*(?:学报|会议|期刊|杂志|论文集?$|大学|通报|研究与发展).*)",
    re.IGNORECASE,
)
_KNOWN_VENUE = re.compile(rf"(?:{_KNOWN})(?=$|[\s,.:;'’(\d-])", re.IGNORECASE)
_TAIL = re.compile(
    rf"\s(?P<venue>(?:in\s+)?(?:{_KNOWN})(?:[\s'’]*(?:(?:19|20)\d\d|\d\d))?)$",
    re.IGNORECASE,
)
_DETAIL = re.compile(
    r"(?:vol(?:ume|\.)?|no\.?|nos?\.|issue|number|pp?\.?|pages?|art(?:icle)?\.?|ser(?:ies)?\.?|ch(?:apter|\.)|sect?\.?|第)\s*\w*\d"
    r"|\d+\s*(?:\(\d+[\d–-]*\))?\s*(?:[:,]\s*\w*\d[\w–-]*)?$|\d+[–-]\d+$|e?\d+$|\(?\d+\)?$"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?:\s*[\d–-]*)$",
    re.IGNORECASE,
)
_SHORT_YEAR = re.compile(r"(?<=\w)\s?['’](?P<year>\d\d)\b")
_SENTENCE = re.compile(
    r"(?<=[?!])[\"”]?\s+(?=[^\W\d_a-z]|in\b)|(?<![.\s]\w)(?<!\b(?:vs|Dr|St|No))(?<!\b(?:Proc|Conf|Intl|Symp))(?<!\bTrans)(?<!\bInt)\.+(?=\s|$)|\.(?=[\u3400-\u9fff])"
)


def read_citation(text: str) -> Citation:
    """The parts of a citation that can be read from it, in whichever of the usual styles it is printed."""
    whole = " ".join(text.split())
    plain = unicodedata.normalize("NFC", whole).translate(_PLAIN)
    label = _LABEL.match(plain)
    plain = _without_addresses(plain[label.end() :] if label else plain)
    for read in (_gbt, _quoted, _dated, _general):
        found = read(plain)
        if found:
            return replace(found, text=whole)
    return Citation(whole, year=_last_year(plain))


def _without_addresses(text: str) -> str:
    """The citation without URLs, DOIs and access dates; of an arXiv number only `arXiv` stays."""
    text = _ACCESSED.sub("", _DOI.sub("", _URL.sub("", text)))
    text = _CORR.sub(lambda found: found["venue"], _ARXIV.sub(lambda found: found["venue"], text))
    return re.sub(r"\(\s*\)|\[\s*\]", "", text).strip(" ,;")


def _gbt(text: str) -> Citation | None:
    """GB/T 7714: `HOWARD A, ZHU M, et al. Title[J]. Journal, 2018, 1(2): 3-4.`"""
    mark = _GBT.search(text)
    if not mark:
        return None
    authors, et_al, start = authors_end(text[: mark.start()])
    venue, year = _venue_and_year(text[mark.end() :])
    return Citation("", authors, et_al, _tidy_title(text[start : mark.start()]), venue, year)


def _quoted(text: str) -> Citation | None:
    """A title in quotation marks: IEEE, Chicago, MLA; 《…》."""
    found = _QUOTED.search(text)
    if not found:
        return None
    before = text[: found.start()].strip()
    dated = re.search(r"\(?((?:19|20)\d\d)[a-z]?\)?[.,]?$", before)
    authors, et_al = split_authors(before[: dated.start()] if dated else before)
    title = found["title"] or found["title2"] or found["title3"]
    venue, year = _venue_and_year(text[found.end() :])
    if not year and dated:
        year = int(dated[1])
    return Citation("", authors if before else (), et_al, _tidy_title(title), venue, year)


def _dated(text: str) -> Citation | None:
    """The year between authors and title: APA, Harvard, ACM."""
    for found in _DATED.finditer(text):
        authors, et_al, end = authors_end(text[: found.start()].rstrip(" ,") + ".")
        if authors and end >= found.start():
            title, rest = _title_and_rest(text[found.end() :])
            venue = _venue_and_year(rest)[0]
            return Citation("", authors, et_al, title, venue, int(found["year"] or found["year2"]))
    return None


def _general(text: str) -> Citation | None:
    """Authors, title, venue, year, in this order: `Howard A., et al. Title, CVPR 2018`."""
    authors, et_al, start = authors_end(text)
    title, rest = _title_and_rest(text[start:])
    venue, year = _venue_and_year(rest)
    if not title or not (authors or venue) or not (year or venue or et_al or len(authors) > 1):
        return None
    if not _may_be_title(title, bool(authors)):
        return None
    return Citation("", authors, et_al, title, venue, year or _last_year(text))


def _may_be_title(title: str, after_authors: bool) -> bool:
    return after_authors or len(title.split()) > 1 or len(re.findall(r"[\u3400-\u9fff]", title)) > 3


def _title_and_rest(text: str) -> tuple[str, str]:
    """A title, and the venue and year after it: up to the end of a sentence, else up to the first comma of a venue."""
    text = text.strip(" ,.;")
    for end in _SENTENCE.finditer(text):
        if _SENTENCE_GOES_ON.match(text[end.end() :]):
            continue
        if text[end.end() :].strip():
            return _split_tail(text[: end.start()], text[end.end() :].strip())
    return _split_tail(text.rstrip("."), "")


_SENTENCE_GOES_ON = re.compile(r"\s*[a-z](?!n:?\s)(?!rxiv)")


def _split_tail(text: str, rest: str) -> tuple[str, str]:
    """Takes venue and year off the end of a title: `Title, CVPR 2018`, `Title (CVPR 2018)`, `Title arxiv 2017`."""
    bracketed = re.search(r"\s*\((?P<inside>[^()]*)\)\s*$", text)
    if bracketed and not rest and _is_tail(bracketed["inside"], ""):
        inner, inner_rest = _split_tail(text[: bracketed.start()], "")
        return inner, f"{inner_rest}, {bracketed['inside']}".strip(", ")
    chunks = re.split(r",\s+|,(?=\D)", text)
    kept = len(chunks)
    while kept > 1 and _is_tail(chunks[kept - 1], ", ".join(chunks[kept:])):
        kept -= 1
    title, tail = ", ".join(chunks[:kept]), ", ".join(chunks[kept:])
    found = _TAIL.search(title)
    if found and (not tail or _YEAR.fullmatch(tail)):
        title, tail = title[: found.start()], ", ".join(filter(None, [found["venue"], tail]))
    title = re.sub(rf"[\s,]+{_YEAR_DIGITS}$", "", title) if not tail and not rest else title
    return _tidy_title(title), ", ".join(filter(None, [tail, rest]))


def _is_tail(chunk: str, after: str) -> bool:
    """Whether what stands between two commas is (part of) a venue, a year, pages and the like."""
    chunk = chunk.strip()
    if _YEAR.fullmatch(chunk) or _DETAIL.match(chunk) or re.match(r"in:?\s+[^\W\d_a-z]", chunk, re.IGNORECASE):
        return True
    if _KNOWN_VENUE.match(chunk) or (_VENUE.fullmatch(chunk) and len(chunk.split()) < 14):
        return True
    unknown = (
        not re.search(r"\b(?:in|on|of|for|with|and)\b\s*$", chunk) and len(chunk.split()) <= 5 and chunk[:1].isupper()
    )
    return unknown and bool(_YEAR.search(chunk) or re.fullmatch(_YEAR_DIGITS, after.split(", ")[0]))


def _venue_and_year(text: str) -> tuple[str, int | None]:
    """Venue and year in what follows a title."""
    text = text.strip(" ,.;:")
    short = _SHORT_YEAR.search(text)
    year = _last_year(text) or (2000 + int(short["year"]) if short else None)
    venue = re.sub(r"^(?:in|In|IN):?\s+|^//\s*", "", text)
    for part in re.split(r"(?<![A-Z])\.\s+(?=[^\W_])", venue):
        name = _venue_name(part)
        if name:
            return name, year
    return "", year


def _venue_name(text: str) -> str:
    """The name of a venue without year, volume, pages, place and publisher."""
    chunks = [chunk.strip() for chunk in text.split(",")]
    kept = []
    for chunk in chunks:
        if _DETAIL.match(chunk) or _YEAR.fullmatch(chunk):
            break
        kept.append(chunk)
        if _YEAR.search(chunk) and not re.match(_YEAR_DIGITS, chunk):
            break
    name = _SHORT_YEAR.sub("", ", ".join(kept))
    name = re.sub(rf"\(?{_YEAR_DIGITS}\)?|(?<=[A-Za-z])(?:19|20)\d\d\b", " ", name)
    name = re.sub(r"\s+(?:vol\.?\s*)?\d+\s*(?:\(\d+\))?\s*(?:[:,].*)?$|:\s*[\d–-]+$", "", " ".join(name.split()))
    name = re.sub(r"\(\s*\)", "", re.sub(r"^(?:in|In):?\s+", "", name)).strip(" ,.;:/")
    return name if re.search(r"[^\W\d_]{2}", name) else ""


def _last_year(text: str) -> int | None:
    years = [found["year"] for found in _YEAR.finditer(text)]
    glued = re.findall(r"(?<=[A-Za-z])((?:19|20)\d\d)\b", text)
    return int((years or glued or [0])[-1]) or None


def _tidy_title(text: str) -> str:
    return " ".join(text.strip(" ,;.\"'").split())


_JOURNAL = re.compile(
    r"journal|transactions|trans\.|letters|annals|review|magazine|学报|期刊|杂志|通报|"
    r"^(?:t?pami|ijcv|tip|jmlr|tmlr|nature|science|neurocomputing|pattern recognition)\b",
    re.IGNORECASE,
)


def bibtex(card: Card) -> str:
    """A BibTeX entry for a card's paper, with what the card knows of it."""
    citation = card.citation
    kind, host = _entry_kind(card)
    authors = [*map(_bibtex_author, citation.authors), *(["others"] if citation.et_al else [])]
    fields = {
        "author": " and ".join(authors),
        "title": f"{{{_bibtex_text(citation.title)}}}" if citation.title else "",
        host: _bibtex_text(citation.venue),
        "year": str(citation.year or ""),
        "eprint": _bibtex_text(card.links.get("arxiv", "")),
        "archiveprefix": "arXiv" if "arxiv" in card.links else "",
        "doi": _bibtex_text(card.links.get("doi", "")),
        "url": card.links.get("url", ""),
        "note": "" if citation.title else _bibtex_text(citation.text),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{card.citekey},", *lines, "}"]) + "\n"


def _entry_kind(card: Card) -> tuple[str, str]:
    """The type of the entry, and its field for the venue."""
    venue = card.citation.venue
    if not venue or re.match(r"arxiv|corr|biorxiv|medrxiv|ssrn", venue, re.IGNORECASE):
        return "misc", "howpublished"
    return ("article", "journal") if _JOURNAL.search(venue) else ("inproceedings", "booktitle")


def _bibtex_author(name: str) -> str:
    """A name as BibTeX sorts it: `Howard A.` is `Howard, A.`."""
    surname, given = surname_first(name)
    return _bibtex_text(f"{surname}, {given}" if given else surname)


def _bibtex_text(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", ""))
