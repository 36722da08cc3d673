"""An explanation as people and programs read it: words for its parts, one screen of text, or JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from textwrap import wrap

from kb.explaining import Explanation, Lead, Reading, Trial, as_printed
from kb.figures import number_in
from kb.texts import Texts

WEIGHTS = {"strong": Decimal("0.01"), "fair": Decimal("0.1")}  # up to which share of figures a lead is worth so much
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


def reading_words(convention: str, metric: str, texts: Texts) -> str:
    """A convention in words, in a list of all: the plain one, truncated, is told in full."""
    return convention_words("plain_truncated" if convention == "truncated" else convention, metric, texts)


def _either_way(conventions: Sequence[str], metric: str, texts: Texts) -> Iterator[str]:
    """Conventions in words, those that fit rounded as well as truncated once."""
    counted = ["plain_truncated" if each == "truncated" else each for each in conventions]
    for each in counted:
        if f"{each}_truncated" in counted:
            yield convention_words(each, metric, texts) + texts("convention.either")
        elif each.removesuffix("_truncated") == each or each.removesuffix("_truncated") not in counted:
            yield convention_words(each, metric, texts)


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
    figure, metric = figure_words(explanation), explanation.metric
    if explanation.fitting:
        named = _either_way([each.convention for each in explanation.fitting], metric, texts)
        key = "explain.fits" if explanation.readings[0].fits else "explain.fits_otherwise"
        return texts(key, conventions=texts("list.separator").join(named), figure=figure)
    nearest = explanation.nearest
    return texts(
        "explain.none",
        figure=figure,
        conventions=len(explanation.readings),
        convention=reading_words(nearest.convention, metric, texts),
        count=f"{nearest.count:,}",
        difference=f"{nearest.count - explanation.printed.value:+,.0f}".replace("-", "−"),
    )


def trials(explanation: Explanation) -> tuple[Trial, ...]:
    """The leads of each kind, those least likely by chance first; none are needed where the plain convention fits."""
    if explanation.readings[0].fits:
        return ()
    return tuple(sorted(explanation.trials, key=lambda each: (not each.fitting, each.chance if each.fitting else 0)))


def weight(trial: Trial) -> str:
    """What leads of a kind are worth: strong, fair or weak, by how many figures nearby would find one as well."""
    return next((name for name, most in WEIGHTS.items() if trial.chance <= most), "weak")


def trial_words(trial: Trial, texts: Texts) -> str:
    """How many leads of a kind fit, and what that is worth."""
    if not trial.fitting:
        return texts("explain.tried", tried=trial.tried)
    words = texts("explain.fitted", tried=trial.tried, fitting=trial.fitting, chance=per_cent(trial.chance))
    return texts(f"explain.{weight(trial)}", words=words)


def command(explanation: Explanation) -> str:
    """What to type to see the same in a terminal."""
    return shlex.join(["kb", "explain", explanation.call, figure_words(explanation), "--metric", explanation.metric])


def shown(trial: Trial) -> tuple[Lead, ...]:
    """The leads of a kind to show: those that fit, else the nearest; a slip fits, or it is none."""
    fitting = tuple(lead for lead in trial.best if lead.fits)
    return fitting or (trial.best[:1] if trial.kind != "misprint" else ())


def count_words(lead: Lead, explanation: Explanation) -> str:
    """What a lead gives, as the figure is printed but to one digit more; whole where the figure is."""
    printed = explanation.printed
    if not printed.unit:
        return f"{lead.count:,}"
    finer = replace(printed, printed=more_digits(number_in(printed)), step=printed.step / 10)
    return f"{as_printed(lead.count, finer)} {printed.unit}"


def more_digits(number: str) -> str:
    """A number with another digit behind its point."""
    return f"{number}0" if "." in number else f"{number}.0"


def lead_words(lead: Lead, metric: str, texts: Texts) -> str:
    """A lead in words."""
    if lead.kind == "misprint":
        convention, prints = lead.what
        return texts(f"explain.misprint.{lead.how}", prints=prints, convention=reading_words(convention, metric, texts))
    what = texts("explain.or").join(_part(each, texts) for each in lead.what[:PARTS])
    if len(lead.what) > PARTS:
        what += texts("explain.more", count=len(lead.what) - PARTS)
    if lead.kind == "layers":
        return texts(f"explain.layers.{lead.how}", what=what)
    words = texts(f"explain.{lead.kind}.one", what=what)
    return (
        f"{words}{texts('list.comma')}{reading_words(lead.how, metric, texts)}"
        if lead.how not in ("", "plain")
        else words
    )


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
    """A share to two digits; what is rare is not shown as nothing."""
    if share < Decimal("0.0005"):
        return "< 0.1 %"
    return f"{share * 100:.0f} %" if share >= Decimal("0.0995") else f"{share * 100:.1f} %"


def as_text(explanation: Explanation, texts: Texts) -> str:
    """The explanation on one screen of a terminal."""
    return "\n".join(_lines(explanation, texts)) + "\n"


def _lines(explanation: Explanation, texts: Texts) -> Iterator[str]:
    """The answer first, then what it rests on, then what else was tried."""
    yield texts("explain.printed", figure=figure_words(explanation), metric=texts.named("metric", explanation.metric))
    yield given_words(explanation, texts)
    yield accepted_words(explanation, texts)
    yield from wrap(outcome_words(explanation, texts), WIDTH)
    yield ""
    yield from _readings(explanation, texts)
    if trials(explanation):
        yield ""
        yield texts("explain.leads")
        for trial in trials(explanation):
            yield from _trial(trial, explanation, texts)
        yield ""
        yield from wrap(texts("explain.leads_lead"), WIDTH)


def _trial(trial: Trial, explanation: Explanation, texts: Texts) -> Iterator[str]:
    yield f"  {texts(f'explain.{trial.kind}')} ({trial_words(trial, texts)})"
    counts = [count_words(lead, explanation) for lead in shown(trial)]
    for lead, count in zip(shown(trial), counts, strict=True):
        mark = "=" if lead.fits else " "
        yield f"  {mark} {count:>{max(map(len, counts))}}  {lead_words(lead, explanation.metric, texts)}"


def _readings(explanation: Explanation, texts: Texts) -> Iterator[str]:
    """The conventions with what they count, aligned."""
    heads = (texts("figures.convention"), texts("explain.count"), texts("explain.prints"), " ")
    rows = [heads, *(_row(each, explanation, texts) for each in explanation.readings)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, count, prints, mark in rows:
        yield f"  {mark} {count:>{widths[1]}}  {prints:>{widths[2]}}  {name}"


def _row(reading: Reading, explanation: Explanation, texts: Texts) -> tuple[str, str, str, str]:
    name = reading_words(reading.convention, explanation.metric, texts)
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
