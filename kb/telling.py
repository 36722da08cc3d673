"""An explanation as people and programs read it: words for its parts, one screen of text, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from textwrap import wrap

from kb.explaining import Explanation, Lead, Reading, Trial
from kb.reporting import with_unit
from kb.texts import Texts

NEAREST = {"layers": 3, "arguments": 1, "classes": 1, "factor": 1, "misprint": 0}  # shown where none fits
WIDTH = 100  # of a terminal's line of words
# A verdict is told by a mark and words, on pages by a colour besides; never by colour alone.
MARKS = {
    "agrees": "✓",
    "agrees_counting": "≈",
    "reproduced": "↻",
    "unexplained": "≠",
    "not_measurable": "·",
    "unmeasured": "?",
}
PARTS = 3  # of a lead's parts that cost the same, so many are named


def convention_words(convention: str, metric: str, texts: Texts) -> str:
    """A convention in words; one that also truncates says so."""
    base = convention.removesuffix("_truncated")
    name = texts.named("convention", f"plain_{metric}" if base == "plain" else base)
    return name + (texts("convention.and_truncated") if base != convention else "")


def figure_words(explanation: Explanation) -> str:
    """The printed figure with its unit."""
    return f"{explanation.printed.printed} {explanation.printed.unit}".strip()


def given_words(explanation: Explanation, texts: Texts) -> str:
    """What the model gives, and how far that is from the printed figure."""
    return texts(
        "explain.given",
        call=explanation.call,
        count=f"{explanation.measured:,}",
        metric=texts.named("metric", explanation.metric),
        difference=difference(explanation.measured, explanation.printed.value),
    )


def accepted_words(explanation: Explanation, texts: Texts) -> str:
    """What the printed digits accept."""
    return texts("explain.accepts", low=f"{explanation.low:,f}", high=f"{explanation.high:,f}")


def outcome_words(explanation: Explanation, texts: Texts) -> str:
    """Which conventions print as the figure; if none does, the nearest."""
    digits = explanation.printed.printed
    if explanation.fitting:
        named = (convention_words(each.convention, explanation.metric, texts) for each in explanation.fitting)
        return texts("explain.fits", conventions=texts("list.separator").join(named), digits=digits)
    nearest = explanation.nearest
    return texts(
        "explain.none",
        digits=digits,
        convention=convention_words(nearest.convention, explanation.metric, texts),
        count=f"{nearest.count:,}",
        difference=f"{nearest.count - explanation.printed.value:+,.0f}".replace("-", "−"),
    )


def trial_words(trial: Trial, texts: Texts) -> str:
    """How many leads of a kind were tried and fit, and what share of the figures around would fit one as well."""
    return texts("explain.tried", tried=trial.tried, fitting=trial.fitting, chance=per_cent(trial.chance))


def shown(trial: Trial) -> tuple[Lead, ...]:
    """The leads of a kind to show: those that fit, else the nearest; a slip fits, or it is none."""
    fitting = tuple(lead for lead in trial.best if lead.fits)
    return fitting or trial.best[: NEAREST[trial.kind]]


def lead_words(lead: Lead, metric: str, texts: Texts) -> str:
    """A lead in words."""
    if lead.kind == "misprint":
        convention, prints = lead.what
        return texts(
            f"explain.misprint.{lead.how}", prints=prints, convention=convention_words(convention, metric, texts)
        )
    what = texts("list.comma").join(_part(each, texts) for each in lead.what[:PARTS])
    if len(lead.what) > PARTS:
        what += texts("explain.more", count=len(lead.what) - PARTS)
    if lead.kind == "layers":
        return texts(f"explain.layers.{lead.how}", what=what)
    words = texts(f"explain.{lead.kind}.one", what=what)
    return f"{words}{texts('list.comma')}{convention_words(lead.how, metric, texts)}" if lead.how else words


def _part(name: str, texts: Texts) -> str:
    """A module's path, or the name of a kind of layers, which stands in brackets."""
    if not name.startswith("["):
        return name
    return texts("explain.kind", kind=texts.named("kind", name.strip("[]")))


def difference(count: int, printed: Decimal) -> str:
    """How far a count lies from the printed figure, relative to it."""
    if not printed:
        return f"{count:+,}"
    share = (count - printed) / printed * 100
    return f"{share:+.1f} %".replace("-", "−") if abs(share) >= Decimal("0.05") else f"{share:+.3f} %".replace("-", "−")


def per_cent(share: Decimal) -> str:
    """A share to two digits."""
    return f"{share * 100:.0f} %" if share >= Decimal("0.1") else f"{share * 100:.1f} %"


def as_text(explanation: Explanation, texts: Texts) -> str:
    """The explanation on one screen of a terminal."""
    return "\n".join(_lines(explanation, texts)) + "\n"


def _lines(explanation: Explanation, texts: Texts) -> Iterator[str]:
    yield texts("explain.printed", figure=figure_words(explanation), metric=texts.named("metric", explanation.metric))
    yield given_words(explanation, texts)
    yield accepted_words(explanation, texts)
    yield ""
    yield from _readings(explanation, texts)
    yield outcome_words(explanation, texts)
    yield ""
    yield texts("explain.leads")
    for trial in explanation.trials:
        yield f"  {texts(f'explain.{trial.kind}')} ({trial_words(trial, texts)})"
        for lead in shown(trial):
            mark = "=" if lead.fits else " "
            yield f"  {mark} {with_unit(lead.count):>9}  {lead_words(lead, explanation.metric, texts)}"
    yield ""
    yield from wrap(texts("explain.leads_lead"), WIDTH)


def _readings(explanation: Explanation, texts: Texts) -> Iterator[str]:
    """The conventions with what they count, aligned."""
    rows = [_row(each, explanation, texts) for each in explanation.readings]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, count, prints, mark in rows:
        yield f"  {mark} {count:>{widths[1]}}  {prints:>{widths[2]}}  {name}"


def _row(reading: Reading, explanation: Explanation, texts: Texts) -> tuple[str, str, str, str]:
    name = convention_words(reading.convention, explanation.metric, texts)
    prints = f"{reading.prints} {explanation.printed.unit}".strip()
    return name, f"{reading.count:,}", prints, "=" if reading.fits else " "


def as_json(explanation: Explanation) -> str:
    """The explanation as data: numbers exact, decimals as texts."""
    data = asdict(explanation)
    printed = {name: data["printed"][name] for name in ("printed", "unit", "value", "step")}
    data |= {"printed": printed, "nearest": explanation.nearest.convention, "explained": bool(explanation.fitting)}
    return json.dumps(data, ensure_ascii=False, indent=2, default=_exact) + "\n"


def _exact(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
