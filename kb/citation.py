"""Citations as people print them: authors, title, venue and year.

What cannot be read stays empty: a wrong title is worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from kb.authors import authors_end, split_authors
from kb.records import Citation

__all__ = ["read_citation", "split_authors"]

_PLAIN = str.maketrans("，。；：（）［］“”„「」『』．", ',.;:()[]""""""".')
_LABEL = re.compile(r"\s*(?:\[\d+\]|\(\d+\)|\d{1,3}\.(?=\s)|[-*•])\s*")
_AUTHORS_MARK = re.compile(r"(?<=[^\W\d_])[*†‡§¶]+(?=[,.;:\s]|$)")
_LONGEST = 2000  # characters; what is longer is no citation
_URL = re.compile(r"(?:\[online\]\.?\s*)?(?:available(?:\s+at)?:?\s*|url:?\s*)?https?://\S+", re.IGNORECASE)
_DOI = re.compile(r"(?:doi[:\s]\s*)?\b10\.\d{4,9}/\S+", re.IGNORECASE)
_ACCESSED = re.compile(r"[\[(]?\b(?:accessed|retrieved|last accessed|visited)\b[^\])]*[\])]?\.?\s*$", re.IGNORECASE)
_ARXIV = re.compile(
    r"\b(?:arxiv\s+preprint\s*)?(?P<venue>arxiv)\b(?:\s+(?:preprint|e-prints?))?\s*[:,]?\s*(?:arxiv:)?\s*"
    r"(?:abs/)?(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\s*\[[\w.-]+\])?",
    re.IGNORECASE,
)
_CORR = re.compile(r"\b(?P<venue>CoRR)[,\s]+(?:abs/)?\d{4}\.\d{4,5}(?:v\d+)?", re.IGNORECASE)
_YEAR_DIGITS = r"(?<![\d./:-])(?P<year>(?:19|20)\d\d)(?![\d/]|[-–]\d|\.\d)[a-z]?"
_YEAR = re.compile(_YEAR_DIGITS)
_GBT = re.compile(r"\s*\[(?:[JCMDRNPSAGZ]|EB|DB|CP|DS)(?:/(?:OL|CD|DK|MT))?\]\s*(?:\.\s*)?(?P<host>//\s*|In:?\s+)?")
_QUOTED = re.compile(
    r"\"(?P<title>[^\"]{6,}?)[,.]?\"|《(?P<title2>[^》]{4,})》|(?<=[\s)])[‘'](?P<title3>.{6,}?)[,.]?[’'](?=[,.\s])"
)
_DATED = re.compile(
    r"[,.\s]*\((?P<year>(?:19|20)\d\d)[a-z]?(?:,\s*[^()]*)?\)\s*[.,:]?\s*|[.,]\s*(?P<year2>(?:19|20)\d\d)[a-z]?\.\s+"
)

_ACRONYMS = (
    r"arxiv|corr|cvprw?|iccvw?|eccvw?|wacv|accv|bmvc|3dv|miccai|isbi|midl|neurips|nips|icml|iclr|aistats|uai|colt|aaai|"
    r"ijcai|kdd|sigir|cikm|wsdm|recsys|acl|emnlp|naacl(?:-hlt)?|eacl|coling|tacl|interspeech|icassp|icip|icpr|icme|"
    r"acm\s?mm|icra|iros|rss|corl|siggraph(?:\sasia)?|eurographics|uist|osdi|sosp|isca|asplos|hpca|mlsys|sysml|nsdi|"
    r"vldb|sigmod|icde|stoc|t?pami|ijcv|tip|tmm|tcsvt|tnnls|tmi|tgrs|tog|jmlr|tmlr|pnas|biorxiv|medrxiv|openreview|ssrn"
)
_KNOWN = (  # the others are words that titles may end in
    rf"{_ACRONYMS}|www|mm|chi|micro|dac|date|atc|focs|soda|nature|science|cell|neurocomputing|neural networks|"
    r"neural computation|pattern recognition"
)
_VENUE_WORDS = (
    r"proceedings|proc\.?|conference|conf\.?|workshops?|journal|j\.|transactions|trans\.?|symposium|letters|"
    r"advances in|annals|review of|magazine|lecture notes|preprint|technical report|tech\.? report|thesis|dissertation|"
    r"springer|university|press|blog"
)
_VENUE = re.compile(
    rf"(?:in:?\s+)?(?:(?:{_KNOWN})\b.*|.*\b(?:{_VENUE_WORDS})(?:\b|(?<=\.)).*"
    r"|.*(?:学报|会议|期刊|杂志|论文集?$|大学|通报|研究与发展).*)",
    re.IGNORECASE,
)
_KNOWN_VENUE = re.compile(rf"(?:{_KNOWN})(?=$|[\s,.:;'’(\d-])", re.IGNORECASE)
_TAIL = re.compile(
    rf"\s(?P<venue>(?:in\s+)?(?:{_ACRONYMS})(?:[\s'’]*(?:(?:19|20)\d\d|\d\d))?)$",
    re.IGNORECASE,
)
_DETAIL = re.compile(
    r"(?:vol(?:ume|\.)?|no\.?|nos?\.|issue|number|pp?\.?|pages?|art(?:icle)?\.?|ser(?:ies)?\.?|ch(?:apter|\.)|sect?\.?|第)\s*\w*\d"
    r"|\d+\s*(?:\(\d+[\d–-]*\))?\s*(?:[:,]\s*\w*\d[\w–-]*)?$|\d+[–-]\d+$|e?\d+$|\(?\d+\)?$"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?:\s*[\d–-]*)$",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\s*\((?:pp?|vol|pages?)\b[^()]*\)", re.IGNORECASE)
_PUBLISHER = re.compile(
    r"^[\u3400-\u9fff]{2,8}:\s*(?:[\u3400-\u9fff]*出版社)?$|^[\u3400-\u9fff]{2,8}:\s*[\u3400-\u9fff]*出版社"
)
_SHORT_YEAR = re.compile(r"(?<=\w)\s?['’](?P<year>\d\d)\b")
_SENTENCE = re.compile(r"(?<=[?!])[\"”]?\s+(?=[^\W\d_a-z]|in\b)|\.+(?=\s|$)|\.(?=[\u3400-\u9fff])")
_SENTENCE_GOES_ON = re.compile(r"\s*[a-z](?!n:?\s)(?!r[xX]iv)")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(./-])(?:[A-Z]|vs|cf|etc|e\.g|i\.e|No|nos?|vol|pp?|Dr|St|Mr|Jr|Proc|Conf|Intl?|Trans|Comput|Vis|Pattern|"
    r"Recognit|Anal|Mach|Intell|Learn|Netw?|Neural Netw|Syst|Process|Inf|Lett|Mag|Symp|Res|Sci|Appl|Soc|Eng|Technol|"
    r"Rev|Adv|Ann|Med|Imag|Signal|Artif|Lang|Assoc|Linguist|Natl|Acad|Phys|Circuits|Graph|Robot|Autom|Multimed|Geosci|"
    r"Electron|Commun|Softw|Math|Stat|Biol|Tech|Rep|Univ|Dept|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)$"
)


def read_citation(text: str) -> Citation:
    """The parts of a citation that can be read from it, in whichever of the usual styles it is printed."""
    whole = " ".join(text.split())
    if len(whole) > _LONGEST:
        return Citation(whole)
    plain = _AUTHORS_MARK.sub("", unicodedata.normalize("NFC", whole).translate(_PLAIN))
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
    for found in islice(_DATED.finditer(text), 5):
        authors, et_al, end = authors_end(text[: found.start()].rstrip(" ,") + ".")
        if authors and end >= found.start():
            title, rest = _title_and_rest(text[found.end() :])
            venue = _venue_and_year(rest)[0]
            return Citation("", authors, et_al, title, venue, int(found["year"] or found["year2"]))
    return None


def _general(text: str) -> Citation | None:
    """Authors, title, venue, year, in this order: `Howard A., et al. Title, CVPR 2018`."""
    text = re.sub(r"\s*//\s*", ". ", text)
    authors, et_al, start = authors_end(text)
    title, rest = _title_and_rest(text[start:])
    venue, year = _venue_and_year(rest)
    evidence = bool(year or venue or et_al or len(authors) > 1) if authors else bool(_VENUE.fullmatch(venue))
    if not evidence or not _may_be_title(title, bool(authors)):
        return None
    return Citation("", authors, et_al, title, venue, year or _last_year(text))


def _may_be_title(title: str, after_authors: bool) -> bool:
    return bool(title) and (after_authors or len(title.split()) > 1 or len(re.findall(r"[\u3400-\u9fff]", title)) > 3)


def _title_and_rest(text: str) -> tuple[str, str]:
    """A title, and the venue and year after it: up to the end of a sentence, else up to the first comma of a venue."""
    text = text.strip(" ,.;")
    for before, after in _sentences(text):
        if not _SENTENCE_GOES_ON.match(after):
            return _split_tail(before, after.strip())
    return _split_tail(text.rstrip("."), "")


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """What stands before and after the end of each sentence; the full stop of an abbreviation ends none."""
    for end in _SENTENCE.finditer(text):
        before, after = text[: end.start()], text[end.end() :]
        if after.strip() and not (end[0].startswith(".") and _ABBREVIATED.search(before[-16:])):
            yield before, after


def _split_tail(text: str, rest: str) -> tuple[str, str]:
    """Takes venue and year off the end of a title: `Title, CVPR 2018`, `Title (CVPR 2018)`, `Title arxiv 2017`."""
    bracketed = None if rest else re.search(r"\s*\((?P<inside>[^()]*)\)\s*$", text)
    if bracketed and _is_tail(bracketed["inside"], ""):
        text, rest = text[: bracketed.start()], bracketed["inside"]
    chunks = re.split(r",\s+|,(?=\D)", text)
    kept = len(chunks)
    while kept > 1 and _is_tail(chunks[kept - 1], ", ".join(chunks[kept:])):
        kept -= 1
    title, tail = ", ".join(chunks[:kept]), ", ".join(chunks[kept:])
    found = None if rest else _TAIL.search(title)
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
    text = _IN_BRACKETS.sub("", text).strip(" ,.;:")
    short = _SHORT_YEAR.search(text)
    year = _last_year(text) or (2000 + int(short["year"]) if short else None)
    parts = [before for before, _ in _sentences(text)] + [text]
    starts = [0, *(len(before) for before in parts)]
    names = (_venue_name(part[start:]) for start, part in zip(starts, parts, strict=False))
    return next(filter(None, names), ""), year


def _venue_name(text: str) -> str:
    """The name of a venue without year, volume, pages, place and publisher."""
    kept = []
    for chunk in (chunk.strip(" .;:/") for chunk in text.split(",")):
        if _DETAIL.match(chunk) or _YEAR.fullmatch(chunk):
            break
        kept.append(chunk)
        if _YEAR.search(chunk) and not _YEAR.match(chunk):
            break
    name = _SHORT_YEAR.sub("", re.sub(r"^(?:in|IN|In)\b:?\s+|^//\s*", "", ", ".join(kept)))
    name = re.sub(rf"\(?{_YEAR_DIGITS}\)?|(?<=[A-Za-z])(?:19|20)\d\d\b", " ", name)
    name = re.sub(
        r"\s+(?:vol\.?\s*)?\d+\s*(?:\(\d+\))?\s*(?:[:,].*)?$|\s*\(\d+\).*$|:\s*[\d–-]+$", "", " ".join(name.split())
    )
    name = _PUBLISHER.sub("", re.sub(r"\(\s*\)", "", name)).strip(" ,.;:/")
    if _ABBREVIATED.search(name[-16:]) and not name.isupper() and f"{name}." in text:
        name += "."
    return name if re.search(r"[^\W\d_]{2}", name) else ""


def _last_year(text: str) -> int | None:
    years = [found["year"] for found in _YEAR.finditer(text)]
    glued = re.findall(r"(?<=[A-Za-z])((?:19|20)\d\d)\b", text)
    return int((years or glued or [0])[-1]) or None


def _tidy_title(text: str) -> str:
    return " ".join(text.strip(" ,;.\"'").split())
