"""From cards to a site: load, check, measure what is stale, stage the pages, run MkDocs, publish in one step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from jinja2 import TemplateError

from kb import inputs, keeping, remeasuring, writing
from kb.base import Base
from kb.built import USUAL, MadeFrom, Order, Outcome, earlier, record_of, refused
from kb.calls import is_package_call
from kb.check import check
from kb.file_names import leads_out
from kb.fingerprints import can_measure
from kb.kept import Shelf, is_quiet
from kb.package_lock import package_lock
from kb.problems import problem
from kb.publishing import public
from kb.records import Place, Problem, Verdict
from kb.runnables import Runnable
from kb.settings import Settings

OK, CONTENT, STALE = 0, 1, 3
PRIVATE = "private"  # below build/: the staged tree of a site for its author's eyes

NEEDS_TORCH = "measuring needs torch: pip install 'paperkb[models]'"
TESTED = {
    "agrees": "agree",
    "agrees_counting": "agree when counted otherwise",
    "reproduced": "reproduced by a footnote's call",
    "unexplained": "unexplained",
}

Say = Callable[[str], None]


def build(settings: Settings, order: Order = USUAL, say: Say = lambda _: None) -> Outcome:
    """Build the site, or say that it is up to date. A build that fails leaves the old site as it was."""
    site = settings.root / (order.site or settings.site)
    if astray := links_astray(settings, site):
        return Outcome(CONTENT, tuple(astray))
    with alone(settings, say):
        writing.recover(site)
        return earlier(settings, order, site) or built(settings, order, site, say)


def links_astray(settings: Settings, site: Path) -> list[Problem]:
    """The folders that a build fills, where a link would have it remove what others keep elsewhere."""
    found = []
    if leads_out(settings.root / settings.build, settings.root):
        message = "the folder is a link that leads out of the knowledge base"
        found.append(problem("K305", Place(settings.build), message, "remove the link: the folder is made anew"))
    if site.is_symlink() and site.is_dir() and any(site.iterdir()) and not (site / "404.html").is_file():
        message = "the folder is a link to one that holds something else than a site"
        found.append(problem("K305", Place(site.name), message, "let it lead to an empty folder"))
    return found


@contextmanager
def alone(settings: Settings, say: Say) -> Iterator[None]:
    """Let builds of one knowledge base follow each other."""
    folder = settings.root / settings.build
    with writing.alone(folder, lambda: say("another build is running; waiting for it")):
        yield


def built(settings: Settings, order: Order, site: Path, say: Say) -> Outcome:
    """Build anew, whatever there is."""
    made_from = MadeFrom.now(settings, order)
    base, shelf = keeping.load(settings.root, lay_aside=True)
    problems = check(base)
    stale, undrawn = remeasuring.stale(base), remeasuring.stale_figures(base)
    if refused(problems, Order()):  # what is strict about figures is judged by what they are now
        return Outcome(CONTENT, tuple(problems))
    if (stale or undrawn) and (order.locked or not can_measure()):
        older = (*(stale_problem(call, order) for call in stale), *(stale_figure(each, order) for each in undrawn))
        return Outcome(STALE, (*problems, *older))
    if stale or undrawn:
        failures = [*(remeasuring.update(base, stale, say) if stale else ()), *remeasuring.draw(base, undrawn, say)]
        made_from = MadeFrom.now(settings, order)
        base, shelf = keeping.load(settings.root, lay_aside=True)
        problems = [*failures, *check(base)]
    if not refused(problems, order):
        say("writing the pages")
        problems += make_site(base, shelf, order, site)
    if refused(problems, order):
        return Outcome(CONTENT, tuple(problems))
    outcome = Outcome(OK, tuple(problems), summary(base), site)
    remember(base, site, made_from, outcome)
    return outcome


# --------------------------------------------------------------------------------------------------- measuring


def stale_problem(call: str, order: Order) -> Problem:
    """A call that would have to be measured, where that is not allowed or not possible."""
    locked = order.locked or can_measure()
    hint = "run `kb measure` and commit the result" if locked else NEEDS_TORCH
    brought = package_lock(call) if is_package_call(call) else None
    if brought and not can_measure():
        hint = f"{brought.hint(call)}; {hint}"
    return problem("K409", Place("reference_models/measured.yml"), f"`{call}` is not measured as it is now", hint)


def stale_figure(runnable: Runnable, order: Order) -> Problem:
    """A figure that would have to be drawn, where that is not allowed or not possible."""
    hint = "run `kb measure` and commit the result" if order.locked or can_measure() else NEEDS_TORCH
    place = Place(runnable.path, runnable.line)
    return problem("K423", place, f"the figure `{runnable.name}` is not drawn as it is now", hint)


# ------------------------------------------------------------------------------------------------------- pages


def make_site(base: Base, shelf: Shelf, order: Order, site: Path) -> list[Problem]:
    """Stage the pages, make a site of them, and publish it if nothing went wrong."""
    from kb.assembling import assemble
    from kb.pages.site import Site
    from kb.site_builder import problem_of
    from kb.staging import stage
    from kb.theme import theme_files

    root = base.settings.root
    build_folder = root / base.settings.build
    folder = build_folder / PRIVATE if order.private else build_folder
    fixed = inputs.fixed(base.settings, order.site_url or "", *["private"] * order.private)
    writing.sweep(folder, below=False)
    try:
        files = stage(Site(base, order.site_url, shelf, private=order.private), base.notes, folder, fixed)
    except TemplateError as error:
        return [problem_of(error, root)]
    theme = theme_files(root)
    writing.sync_tree(build_folder / "theme", {path.removeprefix("theme/"): data for path, data in theme.items()})
    return assemble(root, folder, site, files, fixed, order.site_url)


def summary(base: Base) -> str:
    """How many papers and figures the site holds, and how the figures came out: once each, in whatever languages."""
    published = public(base)
    papers = published.papers
    both = sum(len(languages) > 1 for languages in published.languages.values())
    tested = (card for card in papers if not is_quiet(card))
    verdicts = [verdict for card in tested for verdict in published.verdicts(card).values()]
    cards = count(len(papers), "card") + (f" ({both} in two languages)" if both else "")
    return f"{cards}, {figures(verdicts)}"


def figures(verdicts: Iterable[Verdict]) -> str:
    """The figures that were tested, counted by how they came out."""
    statuses: Counter[str] = Counter(verdict.status for verdict in verdicts)
    parts = [f"{statuses[status]} {words}" for status, words in TESTED.items() if statuses[status]]
    total = sum(statuses[status] for status in TESTED)
    return f"{count(total, 'figure')} tested" + (f" ({', '.join(parts)})" if parts else "")


def count(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


# -------------------------------------------------------------------------------------------- the build before


def remember(base: Base, site: Path, made_from: MadeFrom, outcome: Outcome) -> None:
    """Write down what a site was made from, so that one can tell later what is newer than it."""
    record = {
        "inputs": made_from.inputs,
        "site": inputs.fingerprint_of_folder(site),
        "summary": outcome.summary,
        "problems": [asdict(found) for found in outcome.problems],
        "files": made_from.files,
        "measurements": measurement_digests(base),
    }
    text = json.dumps(record, ensure_ascii=False, indent=1)
    writing.replace_atomically(record_of(base.settings, site), text)


def measurement_digests(base: Base) -> dict[str, str]:
    """A digest of each measurement that cards name, by call."""
    found = ((call, base.lock.get(call)) for call in base.calls)
    return {call: inputs.digest([measurement])[:16] for call, measurement in found if measurement}
