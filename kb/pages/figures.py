"""Printed beside measured: what stands in a judged cell, and the legend below its table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from markupsafe import Markup, escape

from kb.judging import strength
from kb.pages import addresses, formats
from kb.pages.comparing import reported
from kb.pages.views import JUDGED, CardView, Figure, figure_anchor, tally
from kb.records import Verdict
from kb.telling import MARKS, convention_words, difference
from kb.texts import Texts

__all__ = [
    "accepted",
    "badge",
    "cell_writer",
    "conventions_text",
    "gap",
    "legend_writer",
    "measured_text",
    "ours",
    "strength",
]


def badge(status: str, texts: Texts, *, words: bool = True) -> Markup:
    """A verdict's mark, with its name beside it or only for those who cannot see the mark."""
    name = texts(f"verdict.{status}")
    visible = Markup('<span class="kb-badge__name">{}</span>') if words else Markup('<span class="kb-sr">{}</span>')
    mark = Markup('<span class="kb-mark" aria-hidden="true">{}</span>').format(MARKS[status])
    return Markup('<span class="kb-badge kb-is-{}">{}{}</span>').format(status, mark, visible.format(name))


def measured_text(verdict: Verdict) -> str:
    """The measured figure in the printed one's unit, and what it becomes under the convention that explains it."""
    if verdict.measured is None:
        return ""
    plain = formats.like_printed(verdict.measured, verdict.printed)
    counted = counted_as(verdict)
    if counted is None or counted == verdict.measured:
        return plain
    return f"{plain} → {formats.like_printed(counted, verdict.printed)}"


def counted_as(verdict: Verdict) -> int | None:
    """The model's count that a verdict rests on: what explains the figure, else what its column's reading gives."""
    return verdict.counted if verdict.explained is None else verdict.explained


def ours(verdict: Verdict) -> str:
    """What our model gives, counted as the figure's column is, in the printed figure's unit."""
    counted = counted_as(verdict)
    return "" if counted is None else formats.like_printed(counted, verdict.printed)


def conventions_text(verdict: Verdict, texts: Texts) -> str:
    """The conventions that a verdict rests on, in words."""
    return _ways(verdict.conventions, verdict.metric, texts)


def _ways(conventions: Iterable[str], metric: str, texts: Texts) -> str:
    return " / ".join(dict.fromkeys(convention_words(name, metric, texts) for name in conventions))


def in_words(verdict: Verdict, texts: Texts) -> str:
    """A verdict as a sentence, for a title."""
    parts = [texts(f"verdict.{verdict.status}")]
    if verdict.measured is not None:
        parts.append(texts("verdict.our_model", value=formats.grouped(verdict.measured)))
    counted = counted_as(verdict)
    if counted is not None and counted != verdict.measured:
        parts.append(f"→ {formats.grouped(counted)}")
    if verdict.status in ("agrees_counting", "unexplained") and verdict.conventions:
        parts.append(texts("verdict.counting", conventions=conventions_text(verdict, texts)))
    if verdict.by_call:
        parts.append(texts("verdict.by_call", call=verdict.by_call))
    if verdict.status == "unexplained" and verdict.measured is not None:
        parts.append(texts("verdict.difference", difference=gap(verdict)))
    if verdict.low is not None and verdict.high is not None:
        low, high = (f"{bound:,f}" for bound in (verdict.low, verdict.high))
        parts.append(texts("verdict.accepts", low=low, high=high))
    return texts("list.separator").join(parts)


def gap(verdict: Verdict) -> str:
    """How far an unexplained figure is off, counted as its column is."""
    return difference(verdict.counted or 0, verdict.printed.value)


def accepted(verdict: Verdict) -> str:
    """What a figure's digits accept, relative to it: the narrower, the stronger a test it is."""
    printed = verdict.printed.value
    if verdict.low is None or verdict.high is None or not printed:
        return "–"
    below, above = ((bound - printed) / printed * 100 for bound in (verdict.low, verdict.high))
    return f"± {formats.significant(above, 2)} %" if -below == above else f"+ {formats.significant(above, 2)} %"


def cell_writer(view: CardView, texts: Texts) -> Callable[[int, int], str]:
    """For a renderer: what to append to the cell at a line and column, "" where nothing was judged."""
    by_cell = {(figure.verdict.printed.line, figure.verdict.printed.column): figure for figure in view.judged}
    accuracies = {(each.printed.line, each.printed.column) for each in reported(view)}

    def write(line: int, column: int) -> str:
        figure = by_cell.get((line, column))
        if figure:
            return str(_cell(figure, texts))
        if (line, column) in accuracies:
            return f'<span class="kb-anchor" id="{figure_anchor(line, column)}"></span>'
        return ""

    return write


def _cell(figure: Figure, texts: Texts) -> Markup:
    verdict = figure.verdict
    model = figure.card.model(verdict.by_call or verdict.call)
    value = Markup(escape(measured_text(verdict)))
    if model:
        value = Markup('<a href="#{}">{}</a>').format(model.anchor, value)
    if verdict.status == "unexplained":
        value += Markup(' <a class="kb-gap" href="{}" title="{}">{}</a>').format(
            addresses.link(figure.card.path, figure.card.explanation_path(figure)), texts("explain.link"), gap(verdict)
        )
    if figure.provisional:
        value += Markup(' <span class="kb-provisional" title="{}">{}</span>').format(
            texts("witness.provisional.what"), texts("witness.provisional")
        )
    return Markup('<div class="kb-measured kb-is-{}" id="{}" title="{}">{} {}</div>').format(
        verdict.status, figure.anchor, in_words(verdict, texts), badge(verdict.status, texts, words=False), value
    )


def legend_writer(view: CardView, texts: Texts) -> Callable[[int], str]:
    """For a renderer: the legend of the table whose header stands at a line, "" where nothing in it was judged."""
    by_table: dict[int, list[Figure]] = {}
    for figure in view.judged:
        by_table.setdefault(figure.row.table, []).append(figure)
    return lambda line: str(_legend(by_table[line], texts)) if line in by_table else ""


def _legend(figures: list[Figure], texts: Texts) -> Markup:
    counts = {badge(status, texts): count for status, count in tally(figures).items() if count}
    parts = [Markup("<span>{} <b>{}</b></span>").format(mark, count) for mark, count in counts.items()]
    parts += [Markup("<span>{}</span>").format(line) for line in _columns(figures, texts)]
    return Markup('<p class="kb-legend">{}</p>').format(Markup(" ").join(parts))


def _columns(figures: list[Figure], texts: Texts) -> Iterable[str]:
    """How each column was counted, in the order of the columns."""
    for column in dict.fromkeys(figure.column for figure in figures):
        verdicts = [figure.verdict for figure in figures if figure.column == column]
        ways = [name for verdict in verdicts if verdict.status in JUDGED[:2] for name in verdict.conventions]
        metric, _, number = column.partition(" ")
        name = f"{texts.named('metric', metric)} {number}".strip()
        words = _ways(ways, metric, texts)
        yield texts("legend.column", metric=name, conventions=words or texts.named("convention", f"plain_{metric}"))
