"""The command line: reads arguments, calls the part that does the work, prints, and returns an exit code.

Exit codes: 0 fine, 1 content, 2 usage, 3 stale lock, 4 input/output or no memory, 70 a bug of ours.
Modules are imported by the command that needs them, so that `kb --help` and `kb check` start at once.
"""

from __future__ import annotations

import argparse
import codecs
import importlib.util
import os
import posixpath
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

from kb import machine

if TYPE_CHECKING:
    from kb.bibliography import Entry
    from kb.built import Order, Outcome
    from kb.exports import Published
    from kb.importing import Order as ImportOrder
    from kb.pages.site import Site
    from kb.records import Problem
    from kb.runners import Runner
    from kb.settings import Settings

OK, CONTENT, USAGE, STALE, INPUT_OUTPUT, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130

MOST_JOBS = 1024

Command = Callable[[argparse.Namespace], int]


class Refusal(Exception):
    """Why a command cannot start, in words for the person who typed it; `code` is what kb exits with."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is returned, never raised."""
    if arguments is None and sys.getfilesystemencoding() != "utf-8":
        start_again_in_utf8()
    try:
        options = parser().parse_args(arguments)
    except SystemExit as stop:  # argparse has printed help, a version or what is wrong
        return stop.code if isinstance(stop.code, int) else USAGE
    return guarded(options.run, options)


def start_again_in_utf8() -> None:
    """Replace this process by one that names files in UTF-8: in a locale of another encoding Python would not."""
    os.execv(sys.executable, [sys.orig_argv[0], "-X", "utf8", *sys.orig_argv[1:]])


def guarded(command: Command, options: argparse.Namespace) -> int:
    """Run a command and turn every way it can end into an exit code."""
    try:
        code = command(options)
        sys.stdout.flush()
        return code
    except Refusal as refusal:
        complain(str(refusal))
        return refusal.code
    except BrokenPipeError:  # `kb parse … | head`: the reader has what it wanted
        give_up_unwritten()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except (OSError, MemoryError) as error:
        complain(machine.told(error))
        give_up_unwritten()
        return INPUT_OUTPUT
    except Exception as error:  # noqa: BLE001 - the last resort is here, and only here
        return report_bug(error)


def give_up_unwritten() -> None:
    """Let what could not be printed go nowhere, lest Python tries again, and complains, as it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report_bug(error: Exception) -> int:
    """Say that the fault is ours; the traceback only where it is asked for."""
    if os.environ.get("KB_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    complain(f"this is a bug in kb {own_version()}: {type(error).__name__}: {error}")
    complain("please report it, with what KB_DEBUG=1 prints for the same command")
    return BUG


# ---------------------------------------------------------------------------------------------------- commands


def init(options: argparse.Namespace) -> int:
    """kb init: a new knowledge base, or a file of one's own in place of kb's."""
    from kb import starting

    if options.eject:
        return eject(options)
    folder = Path(options.C or ".", options.folder)
    made, kept = starting.start(folder, options.lang or starting.language_of_the_locale())
    for path in kept:
        complain(f"{path} is there already and stays as it is")
    if starting.workflows_move(folder):
        complain(
            "workflows are read at the top of a repository alone: move them there, and give kb -C with this folder"
        )
    where = "" if folder.resolve() == Path.cwd() else f" -C {options.folder}"
    print(f"{len(made)} files written to {folder}. Next: kb{where} build, then kb{where} serve")
    return OK


def eject(options: argparse.Namespace) -> int:
    """kb init --eject: copy files that come with kb into the knowledge base, to be changed there."""
    from kb import starting

    folder = Path(options.C or ".", options.folder)
    settings = settings_of(argparse.Namespace(C=str(folder) if options.folder != "." else options.C))
    for name in options.eject:
        try:
            print(starting.eject(settings, name))
        except LookupError as error:
            raise Refusal(str(error.args[0])) from None
    return OK


def new(options: argparse.Namespace) -> int:
    """kb new: a card from the template."""
    from kb import new_cards

    if options.source:
        return new_from(options)
    if options.key or options.all:
        raise Refusal("--key and --all choose among the entries of --from SOURCE")
    if options.citekey is None:
        raise Refusal(f"kb new takes NAME and CITEKEY, or --from SOURCE\n{options.usage().strip()}")
    path, problems = new_cards.new_card(settings_of(options), options.name, options.citekey)
    show(problems, "text", sys.stderr)
    if path is None:
        return CONTENT
    print(path)
    return OK


def new_from(options: argparse.Namespace) -> int:
    """kb new --from: cards with what a bibliography or a service knows of their papers."""
    from kb import drafting
    from kb.bibliography.fetching import Unanswered

    settings = settings_of(options)
    try:
        library = drafting.read_source(options.source, sys.stdin.buffer.read)
    except Unanswered as failure:
        raise Refusal(str(failure), CONTENT if failure.absent else INPUT_OUTPUT) from None
    if library is None:
        raise Refusal(f"{options.source!r} is no .bib or .json file, no DOI and no arXiv number")
    show(library.problems, "text", sys.stderr)
    entries = chosen(library.entries, options)
    drafter = drafting.Drafter(settings)
    failed = options.all and any(found.severity == "error" for found in library.problems)
    for entry in entries:
        made = drafter.draft(entry, options.name or "", options.citekey or "")
        show(made.problems, "text", sys.stderr)
        for remark in made.remarks:
            complain(remark)
        if made.path:
            print(made.path)
        failed = failed or not made.path
    return CONTENT if failed else OK


def chosen(entries: Sequence[Entry], options: argparse.Namespace) -> Sequence[Entry]:
    """The entries of a source that cards are asked for."""
    by_key: dict[str, Entry] = {}
    for entry in entries:
        by_key.setdefault(entry.key, entry)
    if unknown := [key for key in options.key if key not in by_key]:
        raise Refusal(f"{options.source} has no entry {unknown[0]}; {some(by_key)}", CONTENT)
    wanted = [by_key[key] for key in dict.fromkeys(options.key)] or entries
    if not wanted:
        raise Refusal(f"{options.source} has no entry that can be read", CONTENT)
    if len(wanted) > 1 and options.name:
        raise Refusal("NAME and CITEKEY are for one card: pick one entry with --key KEY")
    if len(wanted) > 1 and not options.key and not options.all:
        how = f"--key KEY picks one, --all takes each; {some(by_key)}"
        raise Refusal(f"{options.source} has {len(wanted)} entries: {how}")
    return wanted


def some(keys: Iterable[str], most: int = 8) -> str:
    """The first of several keys, in words."""
    keys = list(keys)
    return f"there are {', '.join(keys[:most])}{f' and {len(keys) - most} more' if len(keys) > most else ''}"


def import_notes(options: argparse.Namespace) -> int:
    """kb import: existing notes, one card per file."""
    from kb import importing
    from kb.import_report import format_report

    root = settings_of(options).root
    files = [Path(name) for name in options.files]
    for file in files:
        file.stat()  # a file that is not there is no mistake in a note
    into = Path(options.into) if options.into else None
    order = importing.Order(into, options.overwrite, options.encoding, options.dry_run, say=progress(sys.stderr))
    if options.propose:
        return propose_mapping(options, files, order)
    if options.mapping:
        mapping, problems = importing.load_mapping(Path(options.mapping), root)
        show(problems, "text", sys.stderr)
        if problems:
            return CONTENT
        order = replace(order, mapping=mapping)
    report = importing.run(files, root, order)
    show(report.problems, "text", sys.stderr)
    sys.stdout.write(format_report(report))
    failed = any(each.outcome in ("kept", "refused") for each in report.imported)
    return CONTENT if failed or any(found.severity == "error" for found in report.problems) else OK


def propose_mapping(options: argparse.Namespace, files: list[Path], order: ImportOrder) -> int:
    """kb import --propose: a mapping of the notes' headings and fields, for its author to change."""
    from kb import importing, writing

    text, notes, problems = importing.propose_mapping(files, settings_of(options).root, order, options.propose)
    show(problems, "text", sys.stderr)
    target = Path(options.propose)
    if options.dry_run:
        sys.stdout.write(text)
    elif options.overwrite or not target.exists():
        writing.write_if_changed(target, text)
        print(f"{target}: proposed after reading {notes:,} note{'' if notes == 1 else 's'}")
    elif target.read_bytes() != text.encode():
        raise Refusal(f"{target} is there already and differs (--overwrite replaces it)", CONTENT)
    return CONTENT if any(found.severity == "error" for found in problems) else OK


def parse(options: argparse.Namespace) -> int:
    """kb parse: the structured cards of a file."""
    from kb.selection import cards_of
    from kb.serialise import cards_to_json, cards_to_yaml

    cards, problems = cards_of(Path(options.file))
    sys.stdout.write({"yaml": cards_to_yaml, "json": cards_to_json}[options.format](cards))
    show(problems, "text", sys.stderr)
    return CONTENT if any(found.severity == "error" for found in problems) else OK


def export(options: argparse.Namespace) -> int:
    """kb export: the cards' data in another form, to the standard output or a file."""
    from kb import exports, writing
    from kb.base import load
    from kb.pages.site import Site
    from kb.publishing import with_public_cards

    if options.table and options.form not in ("csv", "json"):
        raise Refusal("--table chooses a table of csv and json; the other formats have one content")
    if options.form == "sqlite" and not options.output and sys.stdout.isatty():
        raise Refusal("a database is no text for a terminal: name a file with -o, as in `-o kb.sqlite`")
    base = load(settings_of(options).root)
    cards = (
        exported(Site(with_public_cards(base), private=True), options.keys) if options.keys else Site(base).published
    )
    made = writing.as_bytes(exports.content(exports.file_for(options.form, options.table), cards))
    if options.output:
        writing.write_if_changed(Path(options.output), made)
    else:
        sys.stdout.buffer.write(made)
    wrong = [found for found in base.problems if found.severity == "error"]
    show(wrong, "text", sys.stderr)
    return CONTENT if wrong else OK


def exported(site: Site, keys: Iterable[str]) -> list[Published]:
    """The cards with these citekeys or aliases, also those that are not published, in each language."""
    from kb.exports import Published
    from kb.problems import nearest

    found: dict[str, Published] = {}
    for key in keys:
        first = site.base.card(key) or site.base.resolve(key)
        if first is None:
            hint = nearest(key, sorted({card.citekey for card in site.base.cards}))
            raise Refusal(f"there is no card {key}" + (f"; {hint}" if hint else ""), CONTENT)
        for card in site.base.cards:
            if card.citekey == first.citekey:
                each = Published(site.base, card, site.path_of(card) if card.publish else "")
                found[each.id] = each
    return list(found.values())


def check(options: argparse.Namespace) -> int:
    """kb check: all mistakes, none hidden."""
    if options.explain:
        return explain_code(options.explain.upper())
    from kb import base, keeping
    from kb.check import check as check_base
    from kb.selection import lies_in, notes_outside, relative

    settings = settings_of(options)
    paths = [relative(path, settings.root) for path in options.paths]
    outside = notes_outside(paths, settings)
    problems = check_base(base.load(settings.root, outside) if outside else keeping.load(settings.root)[0])
    wanted = [found for found in problems if not paths or lies_in(found.place.path, paths)]
    show(in_workspace(wanted, options.format, settings.root), options.format, sys.stdout)
    if wanted and options.format == "text" and sys.stdout.isatty():
        print(f"kb check --explain {wanted[0].code} says more of a code, and how to silence it for one line")
    graver = {"error", "finding", "warning"} if options.strict else {"error", "finding"}
    return CONTENT if any(found.severity in graver for found in wanted) else OK


def explain_code(code: str) -> int:
    """kb check --explain: what a code means, why it is reported, an example, how to silence it."""
    from kb.documentation import as_text, documentation
    from kb.problems import CODES
    from kb.texts import Texts

    if code not in CODES:
        raise Refusal(f"there is no code {code}; codes are {', '.join(CODES)}")
    sys.stdout.write(as_text(documentation(code, "en"), Texts("en")))
    return OK


def fix(options: argparse.Namespace) -> int:
    """kb fix: mend what can be mended safely, and show it."""
    from kb import fixing
    from kb.selection import notes_among

    settings = settings_of(options)
    if options.rename:
        return rename(options, settings)
    found = list(fixing.fix_notes(notes_among(options.paths, settings), settings))
    mended = [each for each in found if isinstance(each, fixing.Fixed)]
    show((each for each in found if not isinstance(each, fixing.Fixed)), "text", sys.stderr)
    if not options.dry_run:
        fixing.save(mended, settings)
    for each in mended:
        show_diff(fixing.diff(each.before, each.after, each.path))
        sys.stderr.write(fixing.told(each))
    would = options.dry_run and any(each.before != each.after for each in mended)
    return CONTENT if would or len(mended) < len(found) else OK


def rename(options: argparse.Namespace, settings: Settings) -> int:
    """kb fix --rename: another citekey for a card, with the old one as an alias."""
    from kb import renaming
    from kb.fixing import diff

    if options.paths:
        raise Refusal("--rename takes all notes, and no PATH")
    plan = renaming.plan(settings.root, *options.rename)
    show(plan.problems, "text", sys.stderr)
    if not plan.notes:
        return CONTENT
    if not options.dry_run:
        renaming.carry_out(plan, settings)
    for each in plan.notes:
        show_diff(diff(each.before, each.after, each.path, each.new_path))
    for old, new in plan.moves:
        complain(f"{old} is to be {new}" if options.dry_run else f"{old} is now {new}")
    return OK


def show_diff(text: str) -> None:
    """Print a diff: coloured in a terminal, plain elsewhere."""
    from kb.fixing import coloured_diff

    sys.stdout.write(coloured_diff(text) if coloured(sys.stdout) else text)


def measure(options: argparse.Namespace) -> int:
    """kb measure: what running the models gives."""
    from kb import remeasuring, reporting
    from kb.base import load

    base, say, runner = load(settings_of(options).root), progress(sys.stderr), runner_for(options)
    try:
        if options.call:
            measurements, problems = remeasuring.run(base, options.call, say, runner)
        else:
            measurements, problems = remeasuring.update_all(base, say, again=options.again, runner=runner)
            problems += remeasuring.draw_all(base, say, again=options.again)
    finally:
        say("")
    if not options.allow_incomplete:
        problems += remeasuring.incomplete(base, measurements)
    show(problems, "text", sys.stderr)
    sys.stdout.write(reporting.report(measurements, options.format))
    return CONTENT if problems else OK


def runner_for(options: argparse.Namespace) -> Runner:
    """Who has the models run: the cluster that is named, else this machine."""
    from kb.runners import LocalPool, cores

    if options.scheduler is None:
        return LocalPool(options.jobs or cores())
    from kb.clusters import Cluster, ClusterUsageError

    try:
        return Cluster(options.scheduler)
    except ClusterUsageError as error:
        raise Refusal(str(error)) from None


def explain(options: argparse.Namespace) -> int:
    """kb explain: what a model gives for a printed figure."""
    from kb import asking, telling
    from kb.base import load
    from kb.explaining import Explanation
    from kb.texts import Texts

    try:
        printed, named = asking.read(options.figure)
    except asking.FigureError as error:
        raise Refusal(str(error)) from None
    say = progress(sys.stderr)
    base = load(settings_of(options).root)
    found = asking.answer(base, options.call, printed, options.metric or named, say)
    say("")
    if not isinstance(found, Explanation):
        show(found, "text", sys.stderr)
        return CONTENT
    sys.stdout.write(telling.as_json(found) if options.format == "json" else telling.as_text(found, Texts("en")))
    return OK


def audit(options: argparse.Namespace) -> int:
    """kb audit: other people's numbers, without cards."""
    from kb import audit_reports, auditing
    from kb.base import load_models
    from kb.texts import Texts

    file = Path(options.file)
    if not auditing.is_readable(file):
        raise Refusal(f"{file}: an audit reads {', '.join((*auditing.TABLES, *auditing.INDEXES))}")
    naming, problems = auditing.read_naming(Path(options.calls) if options.calls else None, options.module)
    say = progress(sys.stderr)
    try:
        found = auditing.audit(file, load_models(audit_settings(options)), naming, say)
    finally:
        say("")
    problems += found.problems
    sys.stdout.write(audit_reports.report(found, options.format, Texts("en")))
    sys.stdout.flush()
    show(problems, "text", sys.stderr)
    failed = found.unexplained or any(each.severity == "error" for each in problems)
    return CONTENT if failed else OK


def build(options: argparse.Namespace) -> int:
    """kb build: everything, then site/."""
    from kb.built import Order, earlier

    order = Order(locked=options.locked, strict=options.strict)
    settings = settings_of(options)
    outcome = earlier(settings, order, settings.root / settings.site) or built(settings, order)
    if options.format == "text":
        show(outcome.told, "text", sys.stderr)
    else:
        show(in_workspace(outcome.problems, options.format, settings.root), options.format, sys.stdout)
    if outcome.site:
        print(last_line(outcome), file=sys.stderr if options.format == "json" else sys.stdout)
    return outcome.code


def built(settings: Settings, order: Order) -> Outcome:
    """Build, telling how far it is."""
    from kb.building import build as build_site

    say = progress(sys.stderr)
    try:
        return build_site(settings, order, say)
    finally:
        say("")


def last_line(outcome: Outcome) -> str:
    """What the site holds and where it is, and how many problems were left to `kb check`."""
    number = len(outcome.problems) - len(outcome.told)
    remarks = f"kb check shows {number} remark{'s' * (number > 1)}" if number else ""
    more = "; ".join(filter(None, ["up to date" if outcome.unchanged else "", remarks]))
    return f"{outcome.summary}: {outcome.site}/index.html" + (f" ({more})" if more else "")


def diff(options: argparse.Namespace) -> int:
    """kb diff: what changed since a git revision."""
    from kb import change_reports, remeasuring, revisions
    from kb.base import load
    from kb.changes import compare
    from kb.check import check as check_base
    from kb.texts import Texts

    new = load(settings_of(options).root)
    try:
        old = revisions.load_at(new, options.revision)
    except revisions.RevisionError as error:
        raise Refusal(str(error)) from None
    changes = compare(old, new, check_base(new), remeasuring.stale(new))
    language = new.settings.language if options.format == "markdown" else "en"
    sys.stdout.write(change_reports.report(changes, options.revision, options.format, Texts(language)))
    return OK


def status(options: argparse.Namespace) -> int:
    """kb status: what is newer than the site, and what a build would do."""
    from kb import freshness
    from kb.base import load

    found = freshness.status(load(settings_of(options).root))
    sys.stdout.write(freshness.report(found, options.format))
    return OK


def serve(options: argparse.Namespace) -> int:
    """kb serve: the site, rebuilt and reloaded as its sources change."""
    from kb.serving import serve as serve_site

    def ready(address: str) -> None:
        print(f"{address} (Ctrl-C stops)", flush=True)

    serve_site(settings_of(options).root, options.host, options.port, complain, ready)
    return OK


# ------------------------------------------------------------------------------------------------ what they share


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of the knowledge base that -C names, or that the working folder lies in."""
    from kb.settings import find_root, load_settings

    start = Path(options.C or ".")
    root = find_root(start) if not options.C or (start / "mkdocs.yml").is_file() else None
    if root is None:
        raise Refusal(f"{start.resolve()} is no knowledge base: it has no mkdocs.yml. `kb init DIR` makes one")
    settings = load_settings(root)[0]
    if (root / settings.build / "renaming.json").exists():
        finish_renaming(settings)
    return settings


def finish_renaming(settings: Settings) -> None:
    """Do the rest of what a `kb fix --rename` that was killed had begun."""
    from kb import renaming

    left = renaming.finish(settings)
    complain("a renaming that was cut off has been finished")
    for path in left:
        complain(f"{path} has been changed since and stays as it is: look whether it still names the old citekey")


def audit_settings(options: argparse.Namespace) -> Settings:
    """The settings of the knowledge base, where there is one; packages that are named on the command line, too."""
    from kb.settings import Settings, find_root, load_settings

    start = Path(options.C or ".").resolve()
    root = find_root(start)
    settings = load_settings(root)[0] if root else Settings(root=start)
    module = options.module.partition(".")[0]
    if module and importlib.util.find_spec(module) is None:
        raise Refusal(f"the package of --module {options.module} is not installed")
    named = (*options.packages.split(","), options.module)
    return replace(settings, packages=(*settings.packages, *filter(None, named)))


def in_workspace(problems: Iterable[Problem], form: str, root: Path) -> Iterable[Problem]:
    """For GitHub, problems with paths from the repository's root, of which the knowledge base may be a folder."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if form != "github" or not workspace or not root.resolve().is_relative_to(Path(workspace).resolve()):
        return problems
    below = root.resolve().relative_to(Path(workspace).resolve()).as_posix()
    return (in_folder(found, below) for found in problems)


def in_folder(found: Problem, folder: str) -> Problem:
    """A problem with the folder put before its path; one of the command line has none."""
    path = found.place.path and posixpath.normpath(f"{folder}/{found.place.path}")
    return replace(found, place=replace(found.place, path=path))


def show(problems: Iterable[Problem], form: str, to: TextIO) -> None:
    """Print problems: coloured in a terminal, plain elsewhere."""
    from kb.problems import format_problems

    to.write(format_problems(problems, form, colour=coloured(to)))


def coloured(to: TextIO) -> bool:
    """Whether a stream is a terminal whose user has not asked for plain text (https://no-color.org)."""
    return to.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def progress(to: TextIO) -> Callable[[str], None]:
    """A line that changes in a terminal, and nothing elsewhere."""

    def say(words: str) -> None:
        to.write(f"\r\033[K{words}" if words else "\r\033[K")
        to.flush()

    return say if to.isatty() else lambda _: None


def complain(message: str) -> None:
    """Print a line of our own to stderr."""
    print(f"kb: {message}", file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------------- arguments


class ShowVersion(argparse.Action):
    """Prints kb's version, which takes a while to find out."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it, and end."""
        print(f"kb {own_version()}")
        parser.exit()


def own_version() -> str:
    """The version of kb that is installed."""
    from importlib.metadata import version

    return version("paperkb")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(prog="kb", description="Paper notes whose numbers are tested by the model.")
    root.add_argument("--version", action=ShowVersion, nargs=0, help="show program's version number and exit")
    root.add_argument("-C", metavar="DIR", help="the knowledge base, if not the working folder's")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        add_init,
        add_new,
        add_import,
        add_parse,
        add_export,
        add_check,
        add_fix,
        add_measure,
        add_explain,
        add_audit,
        add_build,
        add_diff,
        add_status,
        add_serve,
    ):
        add(commands)
    return root


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(commands: Commands, name: str, run: Command, words: str) -> argparse.ArgumentParser:
    """A command with its help, which also takes -C behind its name."""
    made = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    made.add_argument("-C", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    made.set_defaults(run=run)
    return made


def add_init(commands: Commands) -> None:
    """The arguments of kb init."""
    made = command(commands, "init", init, "a new knowledge base, ready to build; no file that exists is touched")
    made.add_argument("folder", metavar="DIR", nargs="?", default=".")
    made.add_argument("--lang", choices=["zh", "en"], help="the language of the site (default: the locale's)")
    made.add_argument(
        "--eject",
        metavar="FILE",
        action="append",
        help="copy a template or a file of the theme out of kb, to change it: templates/pages/card.md.j2",
    )


NEW_SOURCES = """\
SOURCE:
  paper.bib, -    a BibTeX or BibLaTeX entry, in a file or in the standard input
  paper.json      a CSL-JSON item, as Zotero and others export it
  10.1109/CVPR.2018.00474, https://doi.org/10.1109/CVPR.2018.00474
                  a DOI: doi.org is asked for it
  1801.04381, arXiv:1801.04381v4, https://arxiv.org/abs/1801.04381
                  an arXiv number: export.arxiv.org is asked for it

NAME and CITEKEY are made of what SOURCE says, unless they are given. What it does not say is left to you. A paper that
has a card gets no second one, unless with a CITEKEY of its own. `kb import` takes whole libraries, with their notes.

Answers are kept in the user's cache for 30 days. KB_MAILTO=me@example.org tells the services whom to write to,
KB_TIMEOUT=30 waits longer than 10 seconds for an answer; the usual variables for proxies hold.
"""


def add_new(commands: Commands) -> None:
    """The arguments of kb new."""
    made = command(commands, "new", new, "a card from the template, a draft to fill in")
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.epilog = NEW_SOURCES
    made.set_defaults(usage=made.format_usage)
    made.add_argument("name", metavar="NAME", nargs="?", help="what the paper's subject is called: MobileNetV4")
    made.add_argument("citekey", metavar="CITEKEY", nargs="?", help="author, year and venue: Qin2024ECCV")
    made.add_argument("--from", dest="source", metavar="SOURCE", help="what knows the paper (see below)")
    made.add_argument("--key", metavar="KEY", action="append", default=[], help="the entry of SOURCE to take")
    made.add_argument("--all", action="store_true", help="a card for each entry in SOURCE")


IMPORT_SOURCES = """\
what is read:
  notes.md        cards in kb's own form, one or many in a file; or a note about one paper
  VAULT/          an Obsidian vault: its links, aliases, properties, embeds and block references are led anew
  FOLDER/         Markdown notes about one paper each, in any form; kb guesses which heading is which section:
                  --propose mapping.yml writes the guess down, --mapping mapping.yml reads it with your changes
  library.json    a Zotero library: Better BibTeX JSON, or CSL-JSON
  library.bib     BibTeX, BibLaTeX

the mapping file:
  headings: {Why it matters: problem, Results: experiments, Related work: keep, Scratch: leave out}
  fields: {title: [论文题目, (first heading)], venue: [Published at], arxiv: [(introduction)]}
"""


def add_import(commands: Commands) -> None:
    """The arguments of kb import."""
    made = command(
        commands, "import", import_notes, "existing notes, one card per file, with a report of what was read how"
    )
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.epilog = IMPORT_SOURCES
    made.add_argument("files", metavar="FILE", nargs="+", help="a note, a bibliography, or a folder (see below)")
    made.add_argument("--into", metavar="DIR", help="the folder for the notes (default: the knowledge base's)")
    made.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    made.add_argument("--overwrite", action="store_true", help="replace notes that exist")
    mapping = made.add_mutually_exclusive_group()
    mapping.add_argument(
        "--propose", metavar="FILE", help="write a mapping of the notes' headings to sections, to look at and change"
    )
    mapping.add_argument("--mapping", metavar="FILE", help="read the notes by this mapping")
    made.add_argument("--encoding", default="utf-8", type=known_encoding, help="of the files: gb18030 (default: utf-8)")


def known_encoding(name: str) -> str:
    """The name of an encoding that Python has."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise argparse.ArgumentTypeError(f"there is no encoding {name!r}") from None


def add_parse(commands: Commands) -> None:
    """The arguments of kb parse."""
    made = command(commands, "parse", parse, "the structured cards of a file, to the standard output")
    made.add_argument("file", metavar="FILE")
    made.add_argument("--format", choices=["yaml", "json"], default="yaml")


EXPORTS = """\
FORMAT:
  bibtex        an entry for each paper, read back without loss by what reads BibTeX
  csl-json      the same for citation processors: pandoc, Zotero
  json          the cards as `kb parse` prints them, or another table
  csv           the printed figures, each beside what was measured, with the verdict; or another table
  sqlite        a database of all tables, with a search in the sections: `datasette kb.sqlite`
  model-index   a model-index.yml of the results, as Papers with Code and `kb audit` read it

The tables are cards, results, measurements and links. Without KEY, all published cards are exported; with it, these, in
each language that they are written in. The site carries the same files below data/v1/, with their JSON Schemas.
"""


def add_export(commands: Commands) -> None:
    """The arguments of kb export."""
    made = command(commands, "export", export, "the cards as BibTeX, CSL-JSON, JSON, CSV, SQLite, or a model index")
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.epilog = EXPORTS
    forms = ["bibtex", "csl-json", "json", "csv", "sqlite", "model-index"]
    made.add_argument("form", metavar="FORMAT", choices=forms, help=", ".join(forms))
    made.add_argument("keys", metavar="KEY", nargs="*", help="citekeys of the cards (default: all that are published)")
    made.add_argument("-o", "--output", metavar="FILE", help="the file to write (default: the standard output)")
    tables = ["cards", "results", "measurements", "links"]
    made.add_argument("--table", choices=tables, help="of csv (default: results) and json (default: cards)")


def add_check(commands: Commands) -> None:
    """The arguments of kb check."""
    made = command(commands, "check", check, "all mistakes in notes, models and settings")
    made.add_argument("paths", metavar="PATH", nargs="*", help="notes or folders (default: all)")
    made.add_argument("--explain", metavar="CODE", help="what a code means, why, an example, how to silence it: K301")
    add_problem_options(made)


FIXES = """\
what is mended:
  heading marks     `####Method`, `＃＃＃ NAME: KEY`: `#### Method`, where a section or a card is meant
  card heading      `### NAME_KEY`, `###  NAME：KEY ###`: `### NAME: KEY`
  section heading   `####  **面临问题** :`: as the template writes it, if only marks at its ends differ
  citekey           composed form (NFC), half width, no invisible characters; in links, too
  blockquote        `>kind`: `> kind`, on every line of a card's blockquote
  metadata          `标签：a，b`: `标签: a, b`; `arXiv：１８０１.０４３８１`: `arXiv: 1801.04381`
  front matter      the same in front matter, which YAML does not read as it is
  [toc]             left out, as pages do; one above several cards stays
  list indentation  what stands in an item begins where the item's text does
  table alignment   columns as wide as their widest cell, ideographs counting two; a table without padding is in order
  spaces at ends    of lines, but for the two that break a line
  end of file       one line feed, no blank lines

Each change is checked: the note is read and rendered before and after, and what would change what it says is left as
it is, and told. A second time there is nothing to mend. The diff goes to the standard output, the sum to stderr.

--rename takes all notes: the card's heading, links to it, notes and image folders that bear the key. The old key
becomes an alias, so that old links and addresses lead to the card. A key that is taken changes nothing."""


def add_fix(commands: Commands) -> None:
    """The arguments of kb fix."""
    made = command(commands, "fix", fix, "mend in notes what can be mended safely, and show it as a diff")
    made.epilog, made.formatter_class = FIXES, argparse.RawDescriptionHelpFormatter
    made.add_argument("paths", metavar="PATH", nargs="*", help="notes or folders (default: all)")
    made.add_argument("--dry-run", action="store_true", help="write nothing; exit 1 if there is something to mend")
    made.add_argument("--rename", metavar=("OLD", "NEW"), nargs=2, help="give a card another citekey, everywhere")


def add_measure(commands: Commands) -> None:
    """The arguments of kb measure."""
    made = command(commands, "measure", measure, "these calls, or all that the notes name, updating the lock")
    made.add_argument("call", metavar="CALL", nargs="*", help="'mobilenet_v2(width=0.75, resolution=192)'")
    made.add_argument("--format", choices=["table", "json", "csv"], default="table")
    made.add_argument("--again", action="store_true", help="measure also what is up to date")
    made.add_argument(
        "--allow-incomplete", action="store_true", help="accept models with operators that cannot be counted"
    )
    runner = made.add_mutually_exclusive_group()
    runner.add_argument("--jobs", metavar="N", type=number_of_jobs, help="models at a time (default: the cores)")
    runner.add_argument(
        "--scheduler", metavar="ADDRESS", help="measure on a Dask cluster: tcp://HOST:8786 (needs paperkb[cluster])"
    )


def number_of_jobs(text: str) -> int:
    """How many models may run at a time: one at least."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_JOBS}")
    return int(text)


def add_explain(commands: Commands) -> None:
    """The arguments of kb explain."""
    made = command(commands, "explain", explain, "under which convention, if any, a model gives a printed figure")
    made.add_argument("call", metavar="CALL", help="'mobilenet_v2(width=1.4)'")
    made.add_argument("figure", metavar="FIGURE", help="as it is printed, with its unit: 6.9M, '585M MACs'")
    made.add_argument("--metric", choices=["params", "macs", "flops"], help="what is counted (default: the nearer)")
    made.add_argument("--format", choices=["text", "json"], default="text")


def add_audit(commands: Commands) -> None:
    """The arguments of kb audit."""
    made = command(commands, "audit", audit, "the printed figures of a list of models, judged as a paper's table is")
    made.add_argument("file", metavar="FILE", help="a CSV, a model-index.yml, or a model card")
    made.add_argument("--packages", default="", help="installed packages that the list may name: torchvision,timm")
    made.add_argument("--module", default="", help="what its models are named after: torchvision.models")
    made.add_argument("--calls", metavar="FILE", help="a YAML mapping of its models' names to calls")
    made.add_argument("--format", choices=["table", "csv", "json"], default="table")
    made.epilog = (
        "A model of the list is the call that --calls gives for its name, else that of its own `Call` (a column, or a"
        " key of an entry or its Metadata), else the call or the reference model that its name is, else the factory of"
        " --module with its name or ID. Others are listed as they are printed. Exits 1 where a figure is unexplained."
    )


def add_build(commands: Commands) -> None:
    """The arguments of kb build."""
    made = command(commands, "build", build, "load, check, measure what is stale, and publish the site in one step")
    made.add_argument("--locked", action="store_true", help="run no model; exit 3 where a measurement is stale")
    add_problem_options(made)


def add_diff(commands: Commands) -> None:
    """The arguments of kb diff."""
    made = command(commands, "diff", diff, "what changed since a git revision: cards, numbers, verdicts")
    made.add_argument("revision", metavar="REV", help="a branch, a tag, a commit: main, HEAD^")
    made.add_argument("--format", choices=["text", "markdown", "json"], default="text")
    made.epilog = "Markdown is for a pull request's page, in the site's language: kb diff HEAD^ --format markdown."


def add_status(commands: Commands) -> None:
    """The arguments of kb status."""
    made = command(commands, "status", status, "what is newer than the site, and what a build would do")
    made.add_argument("--format", choices=["text", "json"], default="text")


def add_serve(commands: Commands) -> None:
    """The arguments of kb serve."""
    made = command(commands, "serve", serve, "the site, rebuilt and reloaded as notes, models and templates change")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8000, help="0 takes any that is free (default: 8000)")


def add_problem_options(made: argparse.ArgumentParser) -> None:
    """How problems are printed, and which of them count."""
    made.add_argument("--format", choices=["text", "json", "github"], default="text")
    made.add_argument("--strict", action="store_true", help="take findings and warnings for errors")


if __name__ == "__main__":
    sys.exit(main())
