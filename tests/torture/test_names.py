"""Names and paths that lead astray are errors at their lines; no file is read or written outside, no page is lost.

A case of `names.yml` is put into the starter's knowledge base. `check` and `build` must both refuse it, nothing of what
lies beside it may come out, and nothing there may change. A property test tries keys and file names of all kinds.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
import yaml
from conftest import run_kb
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

import kb
from kb import building, writing
from kb.check import check
from kb.cli import main
from kb.pages import pages
from kb.settings import load_settings
from kb.theme import theme_files

CASES = yaml.safe_load((Path(__file__).parent / "names.yml").read_text(encoding="utf-8"))
SECRET = "CANARY of what lies outside"
LONG = "x" * 300
PIXEL = (Path(__file__).parent.parent / "cases" / "pages" / "languages" / "notes" / "net.assets" / "b.png").read_bytes()


def card(body: str = "Words.", key: str = "Author2020x", name: str = "Tiny", front: str = "") -> str:
    """A card; those of one case have different texts."""
    above = f"---\n{front}\n---\n" if front else ""
    head = f"### {name}: {key}\n\n> survey\n> Author A., et al. A Network like {len(key)} {key!a}, 2020\n"
    return f"{above}{head}\n#### Problem\n\n{body}\n\n#### Method\n\nOf {key!a}.\n"


@pytest.fixture
def outside(tmp_path) -> Path:
    """A folder beside the knowledge base, with what nobody is to see."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.md").write_text(card(SECRET), encoding="utf-8")
    (folder / "secret.py").write_text(f'"""{SECRET}"""\n', encoding="utf-8")
    (folder / "secret.png").write_bytes(PIXEL + SECRET.encode())
    return folder


def lay(base: Path, case: dict, outside: Path) -> None:
    """Put a case into a knowledge base."""
    for path, content in case.get("files", {}).items():
        file = base / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if content == "BYTES":
            file.write_bytes(PIXEL)
            continue
        fields = {"body": content} if isinstance(content, str) else content
        text = card(**{name: value.replace("LONG", LONG) for name, value in fields.items()})
        file.write_text(text, encoding="utf-8", newline="")
    for path, target in case.get("links", {}).items():
        if (base / path).is_dir():
            (base / path).rename(base / "elsewhere")
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).symlink_to(target.replace("PLACE", str(outside)))


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder; links are not followed."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", CASES)
def test_a_case(name, starter, outside, capsys):
    case = CASES[name]
    lay(starter, case, outside)
    before = contents(outside)
    assert main(["-C", str(starter), "check"]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if re.match(r"\S.* K\d+ (?!warning:|note:)", line)]
    assert lines == [said.replace("LONG", LONG) for said in case["says"]]
    assert main(["-C", str(starter), "build"]) == 1
    assert not (starter / "site").exists()
    assert contents(outside) == before
    assert SECRET.encode() not in b"".join(contents(starter / "build").values())
    read = kb.load(starter)  # as commands do that do not check
    assert SECRET not in f"{read.cards} {read.factories} {list(theme_files(starter).values())}"


@pytest.mark.parametrize("name", ["build", "site", "build/pages", "build/pages/cards", "build/.site", "build/bodies"])
def test_a_build_writes_and_removes_nothing_behind_a_link(name, starter, outside):
    """Who can commit a link could else have the next build empty a folder of the machine."""
    (starter / name).parent.mkdir(parents=True, exist_ok=True)
    (starter / name).symlink_to(outside)
    before = contents(outside)
    done = run_kb("build", "--locked", cwd=starter)
    assert contents(outside) == before
    if name in ("build", "site"):
        assert done.returncode == 1
        assert f"{name}:1:1: K305 " in done.stdout + done.stderr
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert (starter / "site" / "cards" / "Simonyan2015ICLR.html").is_file()


def test_a_site_may_be_a_link_to_an_empty_folder(starter, outside):
    (outside / "www").mkdir()
    (starter / "site").symlink_to(outside / "www")
    for _ in range(2):
        assert run_kb("build", "--locked", cwd=starter).returncode == 0
        (starter / "notes" / "b.md").write_text(card(), encoding="utf-8")
    assert (outside / "www" / "cards" / "Author2020x.html").is_file()


@pytest.mark.parametrize("key", ["../../Evil2020x", "/tmp/Evil2020x", "CON", "nul.x", "Evil2020x.", ".Evil2020x", LONG])
def test_no_card_is_made_under_a_name_that_leads_astray(key, starter):
    before = contents(starter.parent)
    done = run_kb("new", "Evil", key, cwd=starter)
    assert done.returncode in (1, 2), done.stdout
    assert "Traceback" not in done.stderr
    assert contents(starter.parent) == before


def test_names_as_long_as_the_file_system_has_them(starter):
    """255 bytes: a note's, an image's, and what is called by a heading."""
    image, note = "图" * 83 + "ab.png", "注" * 84 + ".md"
    (starter / "notes" / image).write_bytes(PIXEL)
    heading = "𠀀" * 90
    body = f"![words]({image})\n\n#### {heading}\n\nWords."
    (starter / "notes" / note).write_text(card(body, front=f"aliases: [{'x' * 400}, {'图' * 90}]"), encoding="utf-8")
    done = run_kb("build", "--locked", cwd=starter)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (starter / "site" / "cards" / image).read_bytes() == PIXEL
    assert run_kb("fix", cwd=starter).returncode in (0, 1)


# ------------------------------------------------------------------------------------------------- any name at all

LETTERS = "aAäÄßẞıİǰ\u0308\u0345\u200b\u200d\u202e\u2066\ufeff\u00ad./\\: *?%#-_'’中𠀀１①ﬁ\u0301\x00\x1f\x7f\u0085"
PIECES = ["Author", "2020", "x", "CON", "nul", "index", "..", "//", *LETTERS]
KEYS = some.lists(some.sampled_from(PIECES), min_size=1, max_size=9).map("".join) | some.text(max_size=12)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("names") / "base"
    (folder / "notes").mkdir(parents=True)
    (folder / "mkdocs.yml").write_text("site_name: Names\ntheme: {language: en}\n", encoding="utf-8")
    return folder


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["Index", "Author2020x"], [])
@example(["Author2020x", "author2020X"], ["Author2020X"])
@example(["Straße2020x"], ["strasse2020x", "index", "aux"])
@given(some.lists(KEYS, min_size=1, max_size=4), some.lists(KEYS, max_size=3))
def test_every_card_has_a_page_of_its_own_or_an_error(small, keys, aliases):
    """Of any keys and aliases: no page replaces another on any system, and none lies where it may not."""
    for path in (small / "notes").iterdir():
        path.unlink()
    for number, key in enumerate(keys):
        front = yaml.safe_dump({"aliases": aliases}, allow_unicode=True).strip() if aliases and not number else ""
        text = card(f"Words {number}.", key, f"Card {number}", front)
        (small / "notes" / f"n{number}.md").write_text(text, encoding="utf-8", errors="replace", newline="")
    base = kb.load(small)
    if any(found.severity == "error" for found in check(base)):
        return
    files = list(pages(base))
    made = [path for path in files if path.startswith("pages/cards/") and path.endswith(".yml")]
    assert len(made) == len(base.cards)
    assert len({path.casefold() for path in files}) == len(files)
    assert len({unicodedata.normalize("NFC", path).casefold() for path in files}) == len(files)
    assert [path for path in files if not is_portable(path)] == []


def is_portable(path: str) -> bool:
    """Whether a relative path can lie on every system, with a few letters to spare for a copy beside it."""
    return all(
        part
        and not part.endswith((".", " "))
        and not set(part) & set('\\:*?"<>|')
        and part.isprintable()
        and len(part.encode()) < 240
        and part.split(".")[0].casefold() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
        for part in path.split("/")
    )


# ---------------------------------------------------------------------------------------------- the writing itself


def test_a_tree_is_made_without_following_links(tmp_path, outside):
    before = contents(outside)
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    for place in ("a/link", "b"):
        (tree / place).symlink_to(outside)
    (tree / "file.md").symlink_to(outside / "secret.md")
    writing.sync_tree(tree, {"a/link/secret.md": "new", "b/secret.md": "new", "file.md": "new"})
    assert contents(outside) == before
    assert contents(tree) == dict.fromkeys(("a/link/secret.md", "b/secret.md", "file.md"), b"new")
    assert not [path for path in tree.rglob("*") if path.is_symlink()]


def test_a_folder_full_of_loops_is_looked_through_at_once(starter):
    """Links to folders are not followed: two that lead upwards would else be walked 2^40 times."""
    for name in ("one", "two", "three"):
        (starter / "notes" / name).symlink_to("..")
        (starter / "reference_models" / name).symlink_to(".")
    found, _ = load_settings(starter)
    assert building.build(found).code == 1
