"""Verdicts: which printed figures a model's counts explain, judged a table's column at a time.

Figures are rounded, and papers count in more ways than they say, so a single figure always finds some way of counting
that gives it. A column therefore gets one reading, and every cell in it is held to that reading:

- the plain convention (all parameters; multiply-adds), rounded, if it fits as many cells as any other does;
- else the convention that fits most cells. Others that fit the same cells are named beside it; among conventions that
  fit as many cells but different ones, the plainest, which stands first in `CONVENTIONS`, is the column's.

A cell that fits the plain convention in a column that is read otherwise is unexplained, with the reason "plain_only":
a second reading for single cells would let twice as many figures pass. A footnote can settle it, as any other
figure, by naming a call that gives the printed digits, under the plain convention or the column's, or by computing
them: `kb= conv_mobilenet().macs - conv_mobilenet().classifier_macs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from kb.calls import CallError, parse_call
from kb.expressions import VALUE, ExpressionError, Unmeasured, evaluate, parse
from kb.literals import write_literal
from kb.records import Measurement, Printed, ResultRow, Verdict, VerdictStatus

Cell = tuple[ResultRow, Printed]
Measurements = Mapping[str, Measurement]

# Why a figure of these metrics cannot come out of a measurement.
NOT_MEASURABLE = {
    "top1": "accuracy",
    "top5": "accuracy",
    "map": "accuracy",
    "miou": "accuracy",
    "latency": "latency",
}


def _params(measured: Measurement) -> int:
    return measured.params


def _without_normalisation(measured: Measurement) -> int:
    return measured.params - measured.normalisation


def _weights_only(measured: Measurement) -> int:
    return measured.weights


def _params_without_classifier(measured: Measurement) -> int:
    return measured.params - measured.classifier_params


def _macs(measured: Measurement) -> int:
    return measured.macs


def _flops(measured: Measurement) -> int:
    return measured.flops


def _macs_without_classifier(measured: Measurement) -> int:
    return measured.macs - measured.classifier_macs


def _flops_without_classifier(measured: Measurement) -> int:
    return 2 * _macs_without_classifier(measured)


@dataclass(frozen=True, slots=True)
class Convention:
    """A way to count and to print. `id` is what the interface texts name; the plain convention's is "plain"."""

    id: str
    count: Callable[[Measurement], int]
    truncated: bool = False

    def accepts(self, printed: Printed) -> tuple[Decimal, Decimal]:
        """The least and the greatest count that the digits stand for; a half may have been rounded either way."""
        if self.truncated:
            return printed.value, printed.value + printed.step
        return printed.value - printed.step / 2, printed.value + printed.step / 2

    def fits(self, printed: Printed, measured: Measurement) -> bool:
        """Whether the count prints as these digits."""
        return self.prints(printed, Fraction(self.count(measured)))

    def prints(self, printed: Printed, value: Fraction) -> bool:
        """Whether a value prints as these digits."""
        low, high = map(Fraction, self.accepts(printed))
        return low <= value < high if self.truncated else low <= value <= high


# The whole list, the plain convention first: a figure that none of these gives is unexplained.
CONVENTIONS: Mapping[str, tuple[Convention, ...]] = {
    "params": (
        Convention("plain", _params),
        Convention("truncated", _params, truncated=True),
        Convention("without_normalisation", _without_normalisation),
        Convention("without_normalisation_truncated", _without_normalisation, truncated=True),
        Convention("weights_only", _weights_only),
        Convention("weights_only_truncated", _weights_only, truncated=True),
        Convention("without_classifier", _params_without_classifier),
        Convention("without_classifier_truncated", _params_without_classifier, truncated=True),
    ),
    "macs": (
        Convention("plain", _macs),
        Convention("truncated", _macs, truncated=True),
        Convention("flops_as_macs", _flops),
        Convention("flops_as_macs_truncated", _flops, truncated=True),
        Convention("without_classifier", _macs_without_classifier),
        Convention("without_classifier_truncated", _macs_without_classifier, truncated=True),
    ),
    "flops": (
        Convention("plain", _flops),
        Convention("truncated", _flops, truncated=True),
        Convention("macs_as_flops", _macs),
        Convention("macs_as_flops_truncated", _macs, truncated=True),
        Convention("without_classifier", _flops_without_classifier),
        Convention("without_classifier_truncated", _flops_without_classifier, truncated=True),
    ),
}


def judge(rows: Sequence[ResultRow], measurements: Measurements) -> dict[tuple[int, int], Verdict]:
    """The verdicts on one table's figures, by line and column of their cells.

    `rows` are all rows of the table; `measurements` are by call in normal form, and lack what was not measured.
    """
    verdicts: dict[tuple[int, int], Verdict] = {}
    for column in dict.fromkeys(name for row in rows for name in row.metrics):
        cells = [(row, row.metrics[column]) for row in rows if column in row.metrics]
        for verdict in _judge_column(base_metric(column), cells, measurements):
            verdicts[verdict.printed.line, verdict.printed.column] = verdict
    return verdicts


def strength(verdict: Verdict) -> Decimal | None:
    """How strong a test a figure is: the width of the range its digits accept, relative to it. Less is stronger."""
    if verdict.low is None or verdict.high is None or not verdict.printed.value:
        return None
    return (verdict.high - verdict.low) / abs(verdict.printed.value)


def base_metric(column: str) -> str:
    """The metric of a column: a table's second column of parameters is "params 2"."""
    return column.partition(" ")[0]


def _judge_column(metric: str, cells: Sequence[Cell], measurements: Measurements) -> Iterator[Verdict]:
    open_verdicts = [_without_measurement(metric, row, printed, measurements) for row, printed in cells]
    judged = [cell for cell, verdict in zip(cells, open_verdicts, strict=True) if verdict is None]
    reading = _reading(metric, judged, measurements) if judged else ()
    for (row, printed), verdict in zip(cells, open_verdicts, strict=True):
        yield verdict or _judge_cell(metric, row, printed, reading, measurements)


def _without_measurement(metric: str, row: ResultRow, printed: Printed, measurements: Measurements) -> Verdict | None:
    """The verdict on a figure that cannot be compared with a count, None where it can."""
    verdict = Verdict("not_measurable", metric, printed, row.call)
    if metric not in CONVENTIONS:
        return replace(verdict, reason=NOT_MEASURABLE.get(metric, "not_counted"))
    if printed.unit == "%":
        return replace(verdict, reason="share")
    if not row.call:
        return replace(verdict, reason="paper_only")
    measured = measurements.get(row.call)
    if measured is None:
        return replace(verdict, status="unmeasured", reason="not_measured")
    return None if _complete(metric, measured) else replace(verdict, status="unmeasured", reason="incomplete")


def _complete(metric: str, measured: Measurement) -> bool:
    """An operator that was not counted leaves the multiply-adds open; parameters are counted without running."""
    return metric == "params" or not measured.incomplete


def _reading(metric: str, cells: Sequence[Cell], measurements: Measurements) -> tuple[Convention, ...]:
    """The column's convention, with those that fit exactly the cells that it fits; the plain one stands alone."""
    plain, *_ = conventions = CONVENTIONS[metric]
    fitting = [
        tuple(convention.fits(printed, measurements[row.call]) for row, printed in cells) for convention in conventions
    ]
    best = max(fitting, key=sum)  # the first of the best, so the plainest
    if best == fitting[0]:
        return (plain,)
    return tuple(convention for convention, fits in zip(conventions, fitting, strict=True) if fits == best)


def _judge_cell(
    metric: str, row: ResultRow, printed: Printed, reading: tuple[Convention, ...], measurements: Measurements
) -> Verdict:
    plain, convention = CONVENTIONS[metric][0], reading[0]
    measured = measurements[row.call]
    verdict = Verdict("unexplained", metric, printed, row.call, plain.count(measured), convention.count(measured))
    verdict = _unexplained(verdict, row.label, reading)
    if convention.fits(printed, measured):
        status: VerdictStatus = "agrees_counting" if verdict.conventions else "agrees"
        return replace(verdict, status=status, explained=convention.count(measured))
    settled = _by_footnote(verdict, row, (plain, *reading), measurements)
    return settled or replace(verdict, reason="plain_only" if plain.fits(printed, measured) else "")


def _unexplained(verdict: Verdict, label: str, reading: tuple[Convention, ...]) -> Verdict:
    """What is known of a figure before it is compared: how its column is read, and what its digits accept."""
    low, high = reading[0].accepts(verdict.printed)
    return replace(verdict, conventions=_ids(reading), low=low, high=high, chosen=chosen(verdict.call, label))


def _ids(reading: tuple[Convention, ...]) -> tuple[str, ...]:
    """The conventions to name: none for the plain one, which is never ambiguous."""
    return tuple(convention.id for convention in reading if convention.id != "plain")


def _by_footnote(
    verdict: Verdict, row: ResultRow, conventions: Sequence[Convention], measurements: Measurements
) -> Verdict | None:
    """The verdict where a call or an expression in the cell's footnotes gives the printed digits, else None."""
    for label in verdict.printed.footnotes:
        for span in row.footnote_calls.get(label, ()):
            settles = _by_expression if span.startswith(VALUE) else _by_call
            found = settles(verdict, span, conventions, measurements)
            if found:
                return found
    return None


def _by_call(
    verdict: Verdict, call: str, conventions: Sequence[Convention], measurements: Measurements
) -> Verdict | None:
    measured = measurements.get(call)
    if measured is None or not _complete(verdict.metric, measured):
        return None
    for convention in dict.fromkeys(conventions):
        if convention.fits(verdict.printed, measured):
            return _reproduced(verdict, call, convention, convention.count(measured))
    return None


def _by_expression(
    verdict: Verdict, span: str, conventions: Sequence[Convention], measurements: Measurements
) -> Verdict | None:
    """An expression says itself what is counted: of the column's convention only the way to round holds for it."""
    try:
        value = evaluate(parse(span), measurements.get).value
    except (ExpressionError, Unmeasured):
        return None
    ways = {each.truncated: each for each in CONVENTIONS[verdict.metric][:2]}
    for truncated in dict.fromkeys(each.truncated for each in conventions):
        if ways[truncated].prints(verdict.printed, value):
            return _reproduced(verdict, span.removeprefix(VALUE).strip(), ways[truncated], round(value))
    return None


def _reproduced(verdict: Verdict, call: str, convention: Convention, count: int) -> Verdict:
    low, high = convention.accepts(verdict.printed)
    found = replace(verdict, status="reproduced", by_call=call, explained=count)
    return replace(found, conventions=_ids((convention,)), low=low, high=high)


# A number in a label: "0.75 MobileNet-192" holds 0.75 and 192, "MobileNetV2" none, "ShuffleNet x2" 2.
NUMBER = re.compile(r"(?<![A-WYZa-wyz\d.])\d+(?:\.\d+)?")


def chosen(call: str, label: str) -> tuple[str, ...]:
    """The arguments of a call that its row's label does not imply: they are the card author's choice."""
    try:
        arguments = parse_call(call).arguments
    except CallError:
        return ()
    return tuple(
        f"{name}={write_literal(value)}" for name, value in arguments.items() if not _implied(name, value, label)
    )


def _implied(name: str, value: object, label: str) -> bool:
    """Whether a label says a value: a number stands in it, a text is part of it, or the name of what is true."""
    if isinstance(value, bool) or value is None:
        return value is True and name.casefold() in label.casefold()
    if isinstance(value, int | float):
        return Decimal(str(value)) in {Decimal(number) for number in NUMBER.findall(label)}
    if isinstance(value, list | tuple):
        return all(_implied(name, each, label) for each in value)
    return str(value).casefold() in label.casefold()
