"""Printed figures: which metric a column's header names, and what value a cell's digits stand for."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from kb.records import Metric, Printed

COUNTS = frozenset({"params", "macs", "flops"})
SMALLEST = 1000  # a count below this, without a unit, has lost it
LONGEST = 40  # digits; no paper prints more
LARGEST = 30  # power of ten; training costs have the most

_SCALES = {
    "k": ("K", 3), "thousand": ("K", 3), "千": ("千", 3), "万": ("万", 4),
    "m": ("M", 6), "mn": ("M", 6), "million": ("M", 6), "millions": ("M", 6), "百万": ("百万", 6), "千万": ("千万", 7),
    "亿": ("亿", 8), "b": ("B", 9), "bn": ("B", 9), "billion": ("B", 9), "billions": ("B", 9), "十亿": ("十亿", 9),
    "g": ("G", 9), "t": ("T", 12), "trillion": ("T", 12), "万亿": ("万亿", 12),
}  # fmt: skip
_OTHER_UNITS = {
    "%": "%", "ms": "ms", "毫秒": "ms", "s": "s", "sec": "s", "秒": "s", "us": "µs", "μs": "µs", "fps": "fps",
    "kb": "KB", "mb": "MB", "gb": "GB", "kib": "KiB", "mib": "MiB", "gib": "GiB",
}  # fmt: skip

_ERRORS = r"\berr(?:or)?s?\b|错误率|误差"

# The first that is found in a header is its metric.
_PATTERNS: tuple[tuple[Metric, str], ...] = (
    ("other", _ERRORS),
    ("other", r"reduc|ratio|rate of|compress|speed-?up|sav(?:ed|ing)|share|压缩|占比|比例|倍"),
    ("other", r"fps|帧率|throughput|吞吐"),
    ("flops", r"(?<![a-z])[kmgtb]?[\s-]?flops?\b|浮点运算|浮点计算"),
    ("macs", r"(?<![a-z])[kmgt]?[\s-]?macs?\b|\bm-?adds?\b|乘加|计算量|运算量|计算复杂度"),
    ("macs", r"mult(?:i|iply|iplication)?s?\s?[-&+/ ]?\s?(?:adds?|accumulat\w*)\b"),
    ("params", r"\bparam(?:eter)?s?\b|参数量|参数数量|参数个数|参数数目|参数总?数|模型参数|^参数$|^#\s?p$"),
    ("top5", r"top[\s-]?5"),
    ("map", r"\bm?ap(?:\b|[\d_@^])|平均精度"),
    ("miou", r"\bm?iou\b|交并比"),
    ("top1", r"top[\s-]?1|\bacc(?:uracy)?\b|准确率|准确度|正确率|^精度"),
    (
        "latency",
        r"latency|延迟|时延|耗时|用时|(?:推理|运行)(?:时间|速度)|\b(?:inference|run)[\s-]?time\b|\btime\b|^[cg]pu$|^ms$",
    ),
    ("size", r"^(?:model[\s-]?)?size$|模型大小|模型体积|^大小$|^memory$|内存|显存"),
)
_METRICS = tuple((metric, re.compile(pattern)) for metric, pattern in _PATTERNS)
_ERROR = re.compile(_ERRORS)
_CLASSIFIED: tuple[tuple[Metric, re.Pattern[str]], ...] = (
    ("top5", re.compile(r"top[\s-]?5")),
    ("top1", re.compile(r"top[\s-]?1|\bcls\b|\bclassif\w*|分类")),
)
_NO_METRIC = re.compile(r"\b(?:feature|activation)\s?maps?\b|\bmap size\b|\btime ?steps?\b")
_SCALED_METRIC = re.compile(r"(?<![a-z])([kmgtb])[\s-]?(?:flops?|macs?)\b")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_UNIT_AFTER = re.compile(r"[/,:]\s*([^\s/,:]+)\s*$")
_POWER = re.compile(r"(?:[×x*]\s*)?(?:10\s*\^\s*\{?(\d+)\}?|1?e(\d+))")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_FIGURE = re.compile(
    r"(?:[~≈∼]|约为?|大约|about|approx\.?|ca\.)?\s*"
    r"(?P<number>[+-]?"
    r"(?:\d{1,3}(?:(?P<comma>[,'\u2009\u202f\u00a0 ])\d{3}(?:(?P=comma)\d{3})*)(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+))"
    r"(?P<power>\s*[×x*·]\s*10\s*\^?\s*\{?(?P<exponent>\d+)\}?|[eE]\+?(?P<exponent2>\d+))?"
    r"(?:\s*±\s*[\d.]+)?\s*(?P<unit>%|[^\W\d_]*)"
    r"(?:\s*(?:params?|parameters|macs?|flops?|m-?adds?|mult-?adds?|个|次))?(?:\s*±\s*[\d.]+\s*%?)?"
)
_GLUED_UNIT = re.compile(r"([kmgtb])(?:params?|macs?|flops?)|(万亿|千万|百万|十亿|亿|万)[个次]", re.IGNORECASE)
_MATH = (
    ("\\times", "×"),
    ("\\cdot", "·"),
    ("\\sim", "~"),
    ("\\approx", "≈"),
    ("\\pm", "±"),
    ("\\%", "%"),
    ("{,}", ","),
)
_NOT_COMPARED = re.compile(r"[<>≤≥]|.*\d\s*[×x倍]\s*$")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a results table holds: its metric, and the unit of cells that give none."""

    metric: Metric
    unit: str = ""
    scale: int = 0  # power of ten


@lru_cache(maxsize=256)
def read_header(text: str) -> Column | None:
    """The metric that a header names, with its unit; None for a header that names none."""
    header = _plain(text).casefold()
    name = _without_unit(header)
    metric = next((metric for metric, pattern in _METRICS if pattern.search(name)), None)
    if metric is None or _NO_METRIC.search(name):
        return None
    unit, scale = _header_unit(header, metric)
    return Column(metric, unit, scale)


def accuracy_behind(header: str) -> Metric | None:
    """The accuracy that a column's error rates leave of a hundred per cent; None for errors of another kind."""
    name = _plain(header).casefold()
    errors = _ERROR.search(name)
    return next((metric for metric, pattern in _CLASSIFIED if errors and pattern.search(name)), None)


def _without_unit(header: str) -> str:
    """The header without brackets and a unit after a slash; what stands in brackets may name the metric too."""
    inside = [found for found in _BRACKETS.findall(header) if re.search(r"flop|mac\b|macs|mult|m-?adds?\b", found)]
    outside = _UNIT_AFTER.sub("", _BRACKETS.sub(" ", header).strip())
    return " ".join([*inside, outside.strip() or header]).strip()


def _header_unit(header: str, metric: Metric) -> tuple[str, int]:
    candidates = [*_BRACKETS.findall(header), *_UNIT_AFTER.findall(header)]
    if metric in COUNTS:
        candidates += [word for word in re.findall(r"[^\W\d_]+", header) if len(word) > 2]
        candidates += re.findall(r"百万|十亿|千万|万亿|亿|万", header)
        candidates += re.findall(r"(?<=\s)([kmgtb])$|^([kmgtb])\s", header) and [header.split()[-1], header.split()[0]]
        candidates += _SCALED_METRIC.findall(header)
    for candidate in candidates:
        found = _unit(candidate.strip(), metric)
        if found:
            return found
    return "", 0


def _unit(text: str, metric: Metric) -> tuple[str, int] | None:
    """A unit and its power of ten; None for a text that is no unit of this metric."""
    word = text.casefold().strip(" .#")
    if word == "%":  # of counts, a share
        return "%", 0
    if metric not in COUNTS:
        return (_OTHER_UNITS[word], 0) if word in _OTHER_UNITS else None
    glued = _GLUED_UNIT.fullmatch(word)
    if glued:
        word = glued[1] or glued[2]
    power = _POWER.fullmatch(word)
    if power:
        exponent = _exponent(power[1] or power[2])
        return None if exponent is None else (f"×10^{exponent}", exponent)
    return _SCALES.get(word) or _SCALES.get(word.split(" ")[0])


@lru_cache(maxsize=256)
def read_figure(text: str, column: Column) -> tuple[str, str, Decimal, Decimal] | None:
    """Printed digits, unit, value and step of a cell; None where it holds no figure that can be read."""
    plain = _plain(text)
    found = _FIGURE.fullmatch(plain)
    if not found or len(found["number"]) > LONGEST:
        return None
    unit, scale = column.unit, column.scale
    if found["unit"]:
        given = _unit(found["unit"], column.metric)
        if given is None:
            return None
        unit, scale = given
    if found["power"]:
        exponent = _exponent(found["exponent"] or found["exponent2"])
        if exponent is None:
            return None
        unit, scale = "", exponent + (scale if found["unit"] else 0)
    digits = re.sub(r"[,'\u2009\u202f\u00a0 ]", "", found["number"])
    value, decimals = Decimal(digits), len(digits.partition(".")[2])
    factor = Decimal(10) ** scale
    return found["number"] + (found["power"] or ""), unit, _short(value * factor), _short(factor.scaleb(-decimals))


def _exponent(digits: str) -> int | None:
    """A power of ten; None for one that no count has."""
    return int(digits) if len(digits) <= len(str(LARGEST)) and int(digits) <= LARGEST else None


def _short(number: Decimal) -> Decimal:
    """The number without zeros behind its point."""
    return number.to_integral_value() if number == number.to_integral_value() else number


def number_in(printed: Printed) -> str:
    """The digits of a figure as they are printed, with their point: no separators, no power of ten."""
    found = re.match(r"[+-]?[\d.,' \u2009\u202f\u00a0]+", printed.printed)
    return re.sub(r"[^\d.]", "", found[0]) if found else ""


def is_unreadable(text: str, column: Column) -> bool:
    """Whether a cell without a readable figure looks as if it should have one."""
    plain = _plain(text)
    return column.metric in COUNTS and bool(re.search(r"\d", plain)) and not _NOT_COMPARED.match(plain)


def printed(text: str, column: Column, line: int, index: int, footnotes: tuple[str, ...]) -> Printed | None:
    """The figure in a cell, named by its row's line and its column's index."""
    figure = read_figure(text, column)
    return Printed(*figure, line=line, column=index, footnotes=footnotes) if figure else None


def _plain(text: str) -> str:
    """A cell's text without formulas' marks, entities, and marks that hang on figures."""
    text = html.unescape(text).replace("$", "")
    for tex, sign in _MATH:
        text = text.replace(tex, sign)
    text = re.sub(r"\\(?:text|mathrm|mathbf)\{([^{}]*)\}|\\[,;! ]", r"\1", text)
    text = re.sub(r"(?<=10)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: "^" + found[1].translate(_SUPERSCRIPTS), text)
    text = re.sub(r"[†‡§¶*⁰¹²³⁴⁵⁶⁷⁸⁹↑↓]+\s*$", "", text.strip())
    return unicodedata.normalize("NFKC", text.replace("\u2212", "-")).strip()
