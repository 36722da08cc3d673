"""How often a random figure agrees: the numbers on the conventions' page are the benchmark's, and still hold."""

from __future__ import annotations

import re
import runpy
from itertools import pairwise

import pytest
from conftest import copy_repository

import kb
from kb.lock import read_lock
from kb.pages import chance, pages
from kb.pages.chance import DIGITS, METRICS

CELLS = 1000  # drawn here for each number; the benchmark draws more


@pytest.mark.parametrize("metric", METRICS)
def test_the_numbers_still_hold(metric, root):
    """Drawn again around today's models, if fewer: models that come and go move them little, new rules a lot."""
    shares = runpy.run_path(str(root / "benchmarks" / "chance.py"))["shares"]
    lock = read_lock(root)[0].entries
    for digits in DIGITS:
        drawn, written = shares(metric, digits, lock, CELLS), chance.chance().shares[metric][digits]
        assert drawn["plain"] == pytest.approx(written.plain, abs=0.03)
        assert drawn["column"] == pytest.approx(dict(written.column), abs=0.05)


def test_more_digits_are_stronger_tests_and_more_conventions_weaker_ones():
    for by_digits in chance.chance().shares.values():
        for fewer, more in pairwise(DIGITS):
            assert by_digits[fewer].plain > by_digits[more].plain
            assert by_digits[fewer].column[1] > by_digits[more].column[1]
        for shares in by_digits.values():
            assert shares.plain < shares.column[1] == shares.whole[1]
            assert list(shares.whole.values()) == sorted(shares.whole.values(), reverse=True)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_states_them(language, tmp_path):
    copy_repository(tmp_path)
    settings = (tmp_path / "mkdocs.yml").read_text(encoding="utf-8")
    (tmp_path / "mkdocs.yml").write_text(settings.replace("language: zh", f"language: {language}"), encoding="utf-8")
    base = kb.load(tmp_path)
    page = str(pages(base)["pages/conventions.md"])
    rows = re.findall(r'<tr><th scope="row">(\d)</th>(.*?)</tr>', page)
    assert [digits for digits, _ in rows] == ["1", "2", "3", "4"] * 2
    numbers = [re.findall(r">([^<>]+)</td>", cells) for _, cells in rows]
    for (metric, digits), cells in zip(
        ((metric, digits) for metric in METRICS for digits in DIGITS), numbers, strict=True
    ):
        shares = chance.chance().shares[metric][digits]
        stated = [shares.plain, shares.column[1], shares.column[10], shares.whole[2], shares.whole[3]]
        assert [cell.replace("&lt;", "<") for cell in cells[:5]] == list(map(chance.per_cent, stated))
    tested = [
        verdict for card in base.papers for verdict in base.verdicts(card).values() if verdict.measured is not None
    ]
    few = [each for each in tested if each.metric in METRICS and chance.digits_of(each.printed) in DIGITS]
    counts = [cells[5].split(" / ") for cells in numbers if "/" in cells[5]]
    assert sum(int(all_) for _, all_ in counts) == len(few)
    assert sum(int(agreeing) for agreeing, _ in counts) == sum(each.status.startswith("agrees") for each in few)
