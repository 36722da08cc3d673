"""The expressions of a card, evaluated: what each gives, whether a claim holds, and how its value is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from kb.expressions import (
    CLAIM,
    UNITS,
    Expression,
    ExpressionError,
    Function,
    Measured,
    Normal,
    Number,
    Unmeasured,
    evaluate,
    parse,
)
from kb.records import Card, Claim

ClaimStatus = Literal["value", "holds", "fails", "unmeasured", "unreadable"]

_SIGNIFICANT = Context(prec=4, rounding=ROUND_HALF_UP)
_PRECISE = Context(prec=60, Emax=10**6, Emin=-(10**6), rounding=ROUND_HALF_UP)
_WIDEST = 21  # digits that are shown one by one
_WHOLE = 1000  # from here on, nobody reads what stands behind the point


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one expression. `shown` is its value for people, `bounds` those that it was compared with."""

    claim: Claim
    status: ClaimStatus
    value: Fraction | None = None
    shown: str = ""
    bounds: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()  # in normal form
    error: ExpressionError | None = None

    @property
    def text(self) -> str:
        """The expression without its mark."""
        return self.claim.source[len(CLAIM) :].strip()


def outcome(claim: Claim, normal: Normal, measured: Measured) -> Outcome:
    """What comes of an expression; one that cannot be read is an outcome, too."""
    try:
        expression = parse(claim.source, normal)
    except ExpressionError as error:
        return Outcome(claim, "unreadable", error=error)
    try:
        result = evaluate(expression, measured)
    except Unmeasured:
        return Outcome(claim, "unmeasured", calls=expression.calls)
    except ExpressionError as error:
        return Outcome(claim, "unreadable", calls=expression.calls, error=error)
    status: ClaimStatus = "value" if result.holds is None else "holds" if result.holds else "fails"
    like = _like(expression)
    bounds = tuple(
        _shown(value, like)
        for value, bound in zip(result.bounds, expression.bounds, strict=True)
        if not isinstance(bound, Number)
    )
    return Outcome(claim, status, result.value, _shown(result.value, like), bounds, expression.calls)


def line_of(card: Card, number: int) -> str:
    """A line of a card's text, by its number in the note; "" for one that is not in it."""
    texts = ((card.intro, card.intro_line), *((section.markdown, section.line + 1) for section in card.sections))
    for text, first_line in texts:
        lines = _lines(text)
        if first_line <= number < first_line + len(lines):
            return lines[number - first_line]
    return ""


@lru_cache(maxsize=32)
def _lines(text: str) -> tuple[str, ...]:
    """A text cut into lines once, though every figure and claim in it asks for one."""
    return tuple(text.split("\n"))


def footnote(claim: Claim, card: Card) -> str:
    """The label of the footnote that hangs on an expression's code span; "" for none."""
    after = line_of(card, claim.line)[claim.column - 1 :].partition(claim.source)[2]
    found = re.match(r"\s?`+\[\^([^\]\s]+)\]", after)
    return found[1] if found and f"[^{found[1]}]:" in card.definitions else ""


def _like(expression: Expression) -> Number | None:
    """The number whose unit and digits a value is shown with: a bound's; per cent for a share."""
    digits = next((bound for bound in expression.bounds if isinstance(bound, Number) and bound.unit), None)
    if digits or expression.relation == "~":
        return digits or next(bound for bound in expression.bounds if isinstance(bound, Number))
    if isinstance(expression.value, Function) and expression.value.name == "share":
        return Number(Fraction(0), Fraction(1, 1000), "%", 0)
    return None


def _shown(value: Fraction, like: Number | None) -> str:
    """A value in a number's unit, with one digit more than it; else whole, or with four digits that count."""
    if like is not None and (like.unit or value.denominator != 1):
        scale = Fraction(UNITS[like.unit])
        finer = (like.step / scale).denominator * 10
        rounded = _decimal(Fraction(_rounded(value / scale * finer), finer))
        return f"{rounded:,.{len(str(finer)) - 1}f} {like.unit}".strip().replace("-", "−")
    if abs(value) < 10**_WIDEST and (value.denominator == 1 or abs(value) >= _WHOLE):
        return f"{_rounded(value):,}".replace("-", "−")
    short = _SIGNIFICANT.plus(_decimal(value))
    plain = Decimal("1e-4") <= abs(short) < 10**_WIDEST
    return (f"{short:,f}" if plain else f"{short:.3e}").replace("-", "−")


def _rounded(value: Fraction) -> int:
    """To the nearest whole number, a half away from zero."""
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def _decimal(value: Fraction) -> Decimal:
    return _PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))
