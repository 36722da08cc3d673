"""What is marked `publish: false`, a card or a section, is in no byte of the site; `kb serve` shows it to its author.

The notes in `cases/publishing` have the word CANARY wherever something private could get out.
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from conftest import run_kb
from test_pages import Reader

import kb
from kb.pages import pages
from kb.publishing import public

CASES = Path(__file__).parent / "cases" / "publishing" / "notes"
PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                      "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082")  # fmt: skip
PRIVATE_CALLS = [f"classes={number}" for number in range(77, 83)]


@pytest.fixture(scope="module")
def base(starter_template, tmp_path_factory) -> Path:
    """The starter with the notes of the case, built."""
    root = Path(shutil.copytree(starter_template, tmp_path_factory.mktemp("publishing") / "base"))
    shutil.copytree(CASES, root / "notes", dirs_exist_ok=True)
    (root / "notes" / "CANARY.png").write_bytes(PIXEL)
    done = run_kb("measure", cwd=root)
    assert done.returncode == 0, done.stderr
    done = run_kb("build", "--locked", cwd=root)
    assert done.returncode == 0, done.stderr + done.stdout
    return root


def files(site: Path) -> dict[str, bytes]:
    found = {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in found.items()}


def test_nothing_private_is_in_the_site(base):
    found = files(base / "site")
    assert "cards/Public2020CVPR.html" in found
    for name, data in found.items():
        assert "canary" not in name.lower()
        assert b"canary" not in data.lower(), name
        assert not [call for call in PRIVATE_CALLS if call.encode() in data], name


def test_what_is_staged_for_it_holds_nothing_private_either(base):
    """Another site builder is given the same pages."""
    for name, data in files(base / "build").items():
        if name.split("/")[0] in ("pages", "bodies", "cards"):
            assert b"canary" not in data.lower(), name


def test_what_is_public_beside_it_is_all_there(base):
    page = (base / "site/cards/Public2020CVPR.html").read_text(encoding="utf-8")
    text = " ".join("".join(text for _, text in Reader(page).texts).split())
    for words in ("Before all sections.", "Everybody may read this, too.", "Shown, since a public section refers"):
        assert words in text
    assert "138.4 M" in text


def test_links_to_a_card_that_is_not_published_are_text(base):
    page = (base / "site/cards/Public2020CVPR.html").read_text(encoding="utf-8")
    text = "".join(text for _, text in Reader(page).texts)
    assert "see Secret2020CVPR and another one." in text
    assert not [each for each in Reader(page).all("a") if "Secret2020" in (each.get("href") or "")]


def test_of_a_card_in_two_languages_the_published_one_has_the_page(base):
    found = files(base / "site")
    assert b"Only this one of two languages" in found["cards/Pair2021CVPR.html"]
    assert not [name for name in found if name.startswith("zh/cards/Pair")]
    assert b"hreflang" not in found["cards/Pair2021CVPR.html"]


def test_private_figures_are_checked_and_not_counted(base):
    whole = kb.load(base)
    card = whole["Public2020CVPR"]
    assert {row.row.call for row in card.results} == {"vgg()", "vgg(classes=77)"}
    done = run_kb("check", cwd=base)
    assert "notes/Public2020CVPR.md:40" not in done.stdout  # its private figure agrees
    edited = base / "notes" / "Public2020CVPR.md"
    text = edited.read_text(encoding="utf-8")
    edited.write_text(text.replace("118 M", "811 M"), encoding="utf-8")
    try:
        assert "K501" in run_kb("check", cwd=base).stdout
    finally:
        edited.write_text(text, encoding="utf-8")
    published = public(whole)
    assert [row.call for row in published.card("Public2020CVPR").results] == ["vgg()"]
    assert not set(published.calls) & {f"vgg({call})" for call in PRIVATE_CALLS}
    done = run_kb("build", "--locked", cwd=base)
    assert "3 cards, 5 figures tested (5 agree)" in done.stdout


def test_its_author_sees_all_of_it_marked(base):
    found = {name: str(data) for name, data in pages(kb.load(base), private=True).items()}
    assert "CANARY in the text" in found["bodies/cards/Public2020CVPR/thoughts.html"]
    page = found["pages/cards/Public2020CVPR.md"]
    assert page.count('class="kb-private"') == 1
    assert 'class="kb-private"' in found["pages/cards/Secret2020CVPR.md"]
    assert 'href="Secret2020CVPR.html"' in found["bodies/cards/Public2020CVPR/problem.html"]


def test_a_private_list_of_models_ties_no_public_figure(base, tmp_path):
    root = Path(shutil.copytree(base, tmp_path / "base", ignore=shutil.ignore_patterns("site", "build")))
    template = root / "templates" / "card.md"
    template.parent.mkdir(exist_ok=True)
    text = (Path(kb.__file__).parent.parent / "templates" / "card.md").read_text(encoding="utf-8")
    entry = "      en: Reference models\n"
    assert entry in text
    template.write_text(text.replace(entry, f"{entry}      publish: false\n"), encoding="utf-8")
    note = (CASES / "Pair2021CVPR.md").read_text(encoding="utf-8")
    table = "\n#### Tables\n\n| Model | Params |\n|---|---|\n| Ours | 118 M |\n"
    models = "\n#### Reference models\n\n- Ours: `vgg(classes=77)`\n"
    (root / "notes" / "Pair2021CVPR.md").write_text(note + table + models, encoding="utf-8")
    whole = kb.load(root)
    assert [row.call for row in whole.card("Pair2021CVPR", "en").results] == ["vgg(classes=77)"]
    assert [row.call for row in public(whole).card("Pair2021CVPR").results] == [""]


def test_a_base_without_anything_private_is_itself(starter):
    whole = kb.load(starter)
    assert public(whole) is whole
