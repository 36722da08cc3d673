"""Verdicts: tables that papers print, figures made by each convention, and figures made by chance."""

from __future__ import annotations

import random
import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.base import load
from kb.judging import CONVENTIONS, chosen, judge, strength
from kb.records import Measurement, Printed, ResultRow

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases" / "judging"
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
TABLES = [path for path in sorted(CASES.glob("*.yml")) if path.stem != "labels"]


def measurement(call, *, normalisation=0, biases=0, incomplete=(), **counts):
    defaults = {"params": 0, "macs": 0, "classifier_params": 0, "classifier_macs": 0} | counts
    return Measurement(
        call=call,
        input="1×3×224×224",
        weights=defaults["params"] - normalisation - biases,
        biases=biases,
        normalisation=normalisation,
        buffers=0,
        activations=0,
        peak_activation_bytes=0,
        largest_activation=0,
        classifier="classifier",
        by_kind={},
        incomplete=tuple(incomplete),
        **defaults,
    )


def figure(text, line, column):
    """A printed figure from "4.2 M ^note"."""
    digits, unit, notes = re.fullmatch(r"([\d.,]+) ?(\S*?)((?: \^\w+)*)", text).groups()
    number, scale = Decimal(digits.replace(",", "")), UNITS.get(unit, 1)
    step = Decimal(1).scaleb(number.as_tuple().exponent) * scale
    return Printed(digits, unit, number * scale, step, line, column, tuple(re.findall(r"\w+", notes)))


def table(rows, footnotes=None):
    """The rows of a table, from mappings of label, call and the figure of each column."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return [
        ResultRow(
            label=row["label"],
            call=row["call"],
            line=line,
            table=1,
            section="experiments",
            metrics={
                name: figure(str(text), line, columns.index(name))
                for name, text in row.items()
                if name not in ("label", "call")
            },
            footnote_calls={name: tuple(calls) for name, calls in (footnotes or {}).items()},
        )
        for line, row in enumerate(rows, start=3)
    ]


def told(verdict):
    """A verdict in the words of the case files."""
    words = verdict.status + (": " + " ".join(verdict.conventions) if verdict.conventions else "")
    words += f" by {verdict.by_call}" if verdict.by_call else ""
    return words + (f" ({verdict.reason})" if verdict.reason else "")


def figure_of(cell):
    """What a cell of a case prints: the first of [figure, verdict]; labels and calls are as they are."""
    return cell[0] if isinstance(cell, list) else cell


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_tables(path):
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    measurements = {call: measurement(call, **counts) for call, counts in case["counts"].items()}
    rows = table([{name: figure_of(cell) for name, cell in row.items()} for row in case["rows"]], case.get("footnotes"))
    verdicts = judge(rows, measurements)
    expected = [{name: cell[1] for name, cell in row.items() if isinstance(cell, list)} for row in case["rows"]]
    assert [
        {name: told(verdicts[printed.line, printed.column]) for name, printed in row.metrics.items()} for row in rows
    ] == expected


@pytest.mark.parametrize(("call", "label", "expected"), yaml.safe_load((CASES / "labels.yml").read_text("utf-8")))
def test_arguments_that_a_label_does_not_imply(call, label, expected):
    assert chosen(call, str(label)) == tuple(expected)


def test_a_verdict_says_what_was_measured_and_what_the_digits_accept():
    rows = table([{"label": "V2", "call": "v2(head=9)", "params": "3.47 M"}])
    model = measurement("v2(head=9)", params=3504872, normalisation=34112, biases=1000)
    (verdict,) = judge(rows, {"v2(head=9)": model}).values()
    assert (verdict.metric, verdict.call, verdict.chosen) == ("params", "v2(head=9)", ("head=9",))
    assert (verdict.measured, verdict.explained) == (3504872, 3470760)
    assert (verdict.low, verdict.high) == (3465000, 3475000)


def test_truncated_digits_accept_what_begins_with_them():
    rows = table([{"label": "a", "call": "a()", "params": "3.4 M"}, {"label": "b", "call": "b()", "params": "5.4 M"}])
    rest = {"normalisation": 200000, "classifier_params": 1000000}
    both = {"a()": measurement("a()", params=3490000, **rest), "b()": measurement("b()", params=5480000, **rest)}
    first, _ = judge(rows, both).values()
    assert (first.low, first.high, first.conventions) == (3400000, 3500000, ("truncated",))


def test_strength_is_the_width_that_the_digits_leave():
    rows = table([{"label": "a", "call": "a()", "params": "2 M", "top1": "70 %", "params 2": "2.000 M", "macs": "0 M"}])
    loose, accuracy, tight, nothing = judge(rows, {"a()": measurement("a()", params=2000000)}).values()
    assert (strength(loose), strength(accuracy), strength(tight), strength(nothing)) == (
        Decimal("0.5"),
        None,
        Decimal("0.0005"),
        None,
    )


def test_an_empty_table_has_no_verdicts():
    assert judge([], {}) == {}


@st.composite
def columns(draw):
    """A column of a table, generated by one convention, with the models behind it."""
    metric = draw(st.sampled_from(sorted(CONVENTIONS)))
    convention = draw(st.sampled_from(CONVENTIONS[metric]))
    models = {f"net{i}()": draw(models_of(f"net{i}()")) for i in range(draw(st.integers(1, 6)))}
    digits = draw(st.integers(0, 5))
    mode = ROUND_DOWN if convention.truncated else ROUND_HALF_EVEN
    rows = [
        {"label": call, "call": call, metric: f"{printed(convention.count(model), digits, mode)} M"}
        for call, model in models.items()
    ]
    return metric, convention, models, rows


@st.composite
def models_of(draw, call):
    params = draw(st.integers(10**6, 10**9))
    normalisation, biases = draw(st.integers(0, params // 50)), draw(st.integers(0, params // 50))
    classifier = draw(st.integers(0, params // 2))
    macs = draw(st.integers(10**6, 10**10))
    of_classifier = {"classifier_params": classifier, "classifier_macs": min(classifier, macs // 2)}
    return measurement(call, params=params, normalisation=normalisation, biases=biases, macs=macs, **of_classifier)


def printed(count, digits, mode):
    return (Decimal(count) / 10**6).quantize(Decimal(1).scaleb(-digits), mode)


@settings(deadline=None)
@given(columns())
def test_a_column_is_explained_by_the_convention_that_made_it(column):
    _, convention, models, rows = column
    for verdict in judge(table(rows), models).values():
        if verdict.status == "agrees":  # the plain convention may give the same digits
            assert verdict.conventions == ()
        else:
            assert verdict.status == "agrees_counting"
            assert convention.id in verdict.conventions


@settings(deadline=None)
@given(columns(), st.randoms(use_true_random=False))
def test_a_column_has_one_reading(column, chance):
    metric, _, models, rows = column
    for row in rows:
        if chance.random() < 0.5:
            row[metric] = f"{chance.uniform(1, 2000):.1f} M"
    verdicts = judge(table(rows), models).values()
    assert len({verdict.conventions for verdict in verdicts}) == 1
    assert {verdict.status for verdict in verdicts} <= {"agrees", "agrees_counting", "unexplained"}


def test_figures_made_by_chance_are_mostly_unexplained():
    chance = random.Random(2017)
    statuses = [verdict.status for _ in range(200) for verdict in judge(*random_column(chance)).values()]
    assert statuses.count("unexplained") > 0.9 * len(statuses)


def random_column(chance):
    """Four models of some million parameters, and four figures of that size and two digits that say nothing of them."""
    models = {
        f"net{i}()": measurement(f"net{i}()", params=chance.randrange(10**6, 10**7), normalisation=20000, biases=1000)
        for i in range(4)
    }
    return table([{"label": call, "call": call, "params": f"{chance.uniform(1, 10):.1f} M"} for call in models]), models


def test_what_our_own_cards_leave_unexplained():
    lines = (CASES / "our_cards.md").read_text(encoding="utf-8").splitlines()
    expected = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("| ")]
    base = load(ROOT)
    verdicts = [
        (card.citekey, row.label, verdict)
        for card in base
        if card.card in base.papers
        for row in card.results
        for verdict in row.verdicts.values()
    ]
    assert not [verdict for _, _, verdict in verdicts if verdict.status == "unmeasured"]
    assert [
        (citekey, label, verdict.metric, verdict.printed.printed, str(verdict.measured))
        for citekey, label, verdict in verdicts
        if verdict.status == "unexplained"
    ] == expected[1:]
