"""From cards to a site: load, check, measure what is stale, stage the pages, run MkDocs, publish in one step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from kb import inputs, remeasuring, writing
from kb.base import Base, load
from kb.calls import is_package_call
from kb.check import check
from kb.file_names import leads_out
from kb.fingerprints import can_measure
from kb.package_lock import package_lock
from kb.problems import problem
from kb.publishing import public
from kb.records import Place, Problem, Verdict
from kb.runnables import Runnable
from kb.settings import Settings

OK, CONTENT, STALE = 0, 1, 3

# The folders that a build fills; what else lies in `build/` is its own record and is left alone.
STAGED = ("cards", "pages", "bodies", "theme")
NEEDS_TORCH = "measuring needs torch: pip install 'paperkb[models]'"
TESTED = {
    "agrees": "agree",
    "agrees_counting": "agree when counted otherwise",
    "reproduced": "reproduced by a footnote's call",
    "unexplained": "unexplained",
}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """How to build: `locked` runs no model code, `strict` takes findings and warnings for errors."""

    locked: bool = False
    strict: bool = False
    site: str = ""  # another folder than the settings' one
    site_url: str | None = None
    private: bool = False  # with the cards and sections that stay off the site: for their author's eyes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a build: an exit code, every problem found, and, where a site was published, what it holds."""

    code: int
    problems: tuple[Problem, ...]
    summary: str = ""
    site: Path | None = None
    unchanged: bool = False

    @property
    def told(self) -> list[Problem]:
        """The problems that a build shows: none where nothing has changed, and of the notes `kb check` speaks."""
        return [] if self.unchanged else [found for found in self.problems if found.severity != "note"]


def build(settings: Settings, order: Order = Order(), say: Say = lambda _: None) -> Outcome:
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
    """Let builds of one knowledge base follow each other; the lock falls with the process that holds it."""
    from filelock import FileLock, Timeout

    folder = settings.root / settings.build
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another build is running; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def built(settings: Settings, order: Order, site: Path, say: Say) -> Outcome:
    """Build anew, whatever there is."""
    made_from = MadeFrom.now(settings, order)
    base = load(settings.root)
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
        base = load(settings.root)
        problems = [*failures, *check(base)]
    if not refused(problems, order):
        say("writing the pages")
        problems += make_site(base, order, site)
    if refused(problems, order):
        return Outcome(CONTENT, tuple(problems))
    outcome = Outcome(OK, tuple(problems), summary(base), site)
    remember(base, site, made_from, outcome)
    return outcome


def refused(problems: Iterable[Problem], order: Order) -> bool:
    """Whether these problems keep the site from being published."""
    return any(found.severity == "error" or (order.strict and found.severity != "note") for found in problems)


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


def make_site(base: Base, order: Order, site: Path) -> list[Problem]:
    """Stage the pages, have MkDocs make a site of them, and publish it if nothing went wrong."""
    from kb.pages import pages
    from kb.site_builder import problem_of, run_mkdocs
    from kb.theme import theme_files

    root, folder = base.settings.root, base.settings.root / base.settings.build
    try:
        stage(folder, {**theme_files(root), **pages(base, order.site_url, private=order.private)})
    except TemplateError as error:
        return [problem_of(error, root)]
    new = folder / ".site"
    writing.discard(new)
    problems = run_mkdocs(root, new, order.site_url)
    if not problems:
        writing.publish(new, site)
    return problems


def stage(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Make the staged folders hold these files and no others; files that are right already are not touched."""
    for top in STAGED:
        below = {path.removeprefix(f"{top}/"): text for path, text in files.items() if path.startswith(f"{top}/")}
        writing.sync_tree(folder / top, below)


def summary(base: Base) -> str:
    """How many papers and figures the site holds, and how the figures came out: once each, in whatever languages."""
    published = public(base)
    papers = published.papers
    both = sum(len(languages) > 1 for languages in published.languages.values())
    verdicts = [verdict for card in papers for verdict in published.verdicts(card).values()]
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


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What a build is made from: a digest of all that it depends on, and one of each of the user's files."""

    inputs: str
    files: Mapping[str, str]

    @staticmethod
    def now(settings: Settings, order: Order) -> MadeFrom:
        """What a build that begins now is made from: files changed while it runs are newer than it."""
        return MadeFrom(fingerprint(settings, order), inputs.contents(settings))


def fingerprint(settings: Settings, order: Order) -> str:
    """A digest of all that this build depends on."""
    return inputs.fingerprint(settings, order.site_url or "", *["private"] * order.private)


def earlier(settings: Settings, order: Order, site: Path) -> Outcome | None:
    """The outcome of the build before, if it was made from the same inputs and its site stands as it was published."""
    try:
        record = read_record(settings, site)
        problems = tuple(problem_from(data) for data in record["problems"])
        unchanged = is_unchanged(record, settings, order, site)
    except (KeyError, TypeError):
        return None
    if not unchanged or refused(problems, order):
        return None
    return Outcome(OK, problems, record["summary"], site, unchanged=True)


def is_unchanged(record: Mapping[str, Any], settings: Settings, order: Order, site: Path) -> bool:
    """Whether a site stands as it was published, and would be made from the same inputs again."""
    inputs_now = fingerprint(settings, order)
    return record.get("inputs") == inputs_now and record.get("site") == inputs.fingerprint_of_folder(site)


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


def read_record(settings: Settings, site: Path) -> dict[str, Any]:
    """What is written down of a site; nothing where there is none, or a record that cannot be read."""
    try:
        record = json.loads(record_of(settings, site).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def record_of(settings: Settings, site: Path) -> Path:
    """Where it is written down what a site was made from."""
    return settings.root / settings.build / f"built-{site.name}.json"


def problem_from(data: dict[str, Any]) -> Problem:
    """A problem that was written down."""
    return Problem(**{**data, "place": Place(**data["place"])})
