"""An incremental build leaves behind what a clean one makes, byte for byte, whatever was done in between.

A seed makes a knowledge base and a sequence of changes to it; after each, the trees are compared. What a reader would
lose else: a link to a card that is gone, a name that was corrected and stands on another page as it was. The long form:

    KB_SEEDS=200 python -m pytest tests/test_exact.py
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import trees

from kb.base import load
from kb.remeasuring import draw_all
from kb.starting import start

SEEDS = range(int(os.environ.get("KB_SEEDS", "1")))
STEPS = 6
NAMES = ["Net", "Former", "Mixer", "Scan"]
MODEL = """\
from torch import nn


def toy(width: int = 2) -> nn.Module:
    return nn.Linear(3, width)


def example_inputs() -> tuple:
    raise NotImplementedError
"""


FIGURE = """\
Figure = dict[str, object]


def widths() -> Figure:
    return {"series": [{"x": [1, 2], "y": [1, HEIGHT]}]}
"""


class Author:
    """Does to a knowledge base what authors do, by chance."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.chance = random.Random(seed)
        self.made = 0
        for _ in range(6):
            self.add()

    @property
    def notes(self) -> list[Path]:
        return sorted((self.root / "notes").rglob("*.md"))

    @property
    def keys(self) -> list[str]:
        return re.findall(r"^### .*: (\S+)$", "\n".join(each.read_text() for each in self.notes), re.MULTILINE)

    def act(self) -> str:
        """Do one thing; its name."""
        deeds: list[Callable[[], None]] = [
            *(self.add, self.remove, self.edit, self.rename_card, self.rename_file, self.retag, self.link, self.cite),
            *(self.draw, self.redraw, self.change_template, self.change_theme, self.change_settings, self.alias),
            *(self.translate, self.hide, self.touch, self.model, self.measure, self.join, self.change_schema),
            *(self.mention, self.pair, self.think, self.figure),
        ]
        deed = self.chance.choice(deeds)
        deed()
        self.mend()
        return deed.__name__

    def mend(self) -> None:
        """Keep the notes such that a site can be made of them: links lead to cards that are there."""
        keys = self.keys
        for note in self.notes:
            text = note.read_text()
            known = re.sub(r"\[\[(\w+)\]\]", lambda link: link[0] if link[1] in keys else f"*{link[1]}*", text)
            if not (self.root / "notes" / "drawing.png").exists():
                known = known.replace("![drawing](drawing.png)", "")
            if known != text:
                note.write_text(known)

    def add(self) -> None:
        self.made += 1
        name = f"{self.chance.choice(NAMES)}{self.made}"
        author, year = self.chance.choice(["He", "Tan", "Wang"]), self.chance.randint(2014, 2024)
        key = f"{author}{year}CVPR{chr(97 + self.made % 26)}"
        if key not in self.keys:
            (self.root / "notes" / f"{key}-{self.made}.md").write_text(self.card(name, key, self.target()))

    def card(self, name: str, key: str, target: str) -> str:
        author, year = key[:-9], key[-9:-5]
        return (
            f"### {name}: {key}\n> Architecture\n> {author} A., et al. A {name}, CVPR {year}\n"
            f"> tags: {self.chance.choice('abc')}, {self.chance.choice('cde')}\n\n"
            f"#### Problem\nText {self.made}, see [[{target}]].\n\n#### Method\n$x^{self.made}$ and `code()`.\n\n"
            f"#### Experiments\n| Model | Params |\n|---|---|\n| {name} | {self.made}.5 M |\n"
        )

    def target(self) -> str:
        return self.chance.choice(self.keys)

    def change(self, old: str, new: str) -> None:
        note = self.chance.choice(self.notes)
        note.write_text(re.sub(old, new, note.read_text(), count=1, flags=re.MULTILINE))

    def remove(self) -> None:
        if len(self.notes) > 2:
            self.chance.choice(self.notes).unlink()

    def edit(self) -> None:
        self.change(r"^#### Method$", f"More text {self.chance.random()}.\n\n#### Method")

    def rename_card(self) -> None:
        self.change(r"^### .*:", f"### Renamed{self.chance.randint(0, 99)}:")

    def rename_file(self) -> None:
        note = self.chance.choice(self.notes)
        note.rename(note.with_name(f"moved-{self.chance.randint(0, 10**6)}.md"))

    def retag(self) -> None:
        self.change(r"^> tags: .*$", f"> tags: {self.chance.choice(['x', 'y', 'a b', '注意力'])}")

    def link(self) -> None:
        self.change(r"^Text", f"See [[{self.target()}]] and [[{self.chance.choice(NAMES)}1]]. Text")

    def cite(self) -> None:
        self.change(r"^> (\w+) [AB]\., et al\. A (.*)$", r"> \1 B., et al. Another \2")

    def alias(self) -> None:
        self.change(r"^> tags:", f"> aliases: Old{self.chance.randint(2000, 2020)}CVPR\n> tags:")

    def translate(self) -> None:
        note = self.chance.choice(self.notes)
        if len(re.findall(r"^### ", note.read_text(), re.MULTILINE)) == 1 and not note.name.endswith(".zh.md"):
            note.with_suffix(".zh.md").write_text(note.read_text().replace("Text", "正文"))

    def mention(self) -> None:
        """Name another card in a text, or a paper that has none."""
        names = re.findall(r"^### (.*): \S+$", "\n".join(each.read_text() for each in self.notes), re.MULTILINE)
        said = self.chance.choice([*names, f"arXiv:17{self.chance.randint(10, 12)}.01234"])
        self.change(r"^Text", f"Unlike {said}, this is small. Text")

    def pair(self) -> None:
        """A card in two languages under one key; the other way round where there is one already."""
        pairs = sorted((self.root / "notes").rglob("*.zh.md"))
        if pairs and self.chance.random() < 0.5:
            self.chance.choice(pairs).unlink()
        else:
            self.translate()

    def think(self) -> None:
        """Write what is not for the public, or take it away."""
        note = self.chance.choice(self.notes)
        text = note.read_text()
        thought = f"\n#### My thoughts\nA secret {self.chance.random()} of {self.target()}.\n"
        without = re.sub(r"\n#### My thoughts\nA secret .*\n", "", text)
        note.write_text(without if without != text else text + thought)

    def figure(self) -> None:
        """Show a runnable figure, drawn from other data than before."""
        folder = self.root / "reference_models" / "figures"
        folder.mkdir(exist_ok=True)
        (folder / "widths.py").write_text(FIGURE.replace("HEIGHT", str(self.chance.randint(1, 99))))
        assert not draw_all(load(self.root), lambda _: None, again=False)
        self.change(r"^Text", "![widths](figure:widths)\n\nText")

    def hide(self) -> None:
        self.change(r"\A###", f"---\npublish: {self.chance.choice(['false', 'true'])}\n---\n\n###")

    def touch(self) -> None:
        os.utime(self.chance.choice(self.notes))

    def draw(self) -> None:
        (self.root / "notes" / "drawing.png").write_bytes(self.chance.randbytes(20))
        self.change(r"^Text", "![drawing](drawing.png) Text")

    def redraw(self) -> None:
        file = self.root / "notes" / "drawing.png"
        if file.exists() and self.chance.random() < 0.5:
            file.unlink()
        else:
            file.write_bytes(self.chance.randbytes(20))

    def join(self) -> None:
        """Move the card of one note to the end of another."""
        first, *others = self.notes
        if others and not first.read_text().startswith("---"):
            with self.chance.choice(others).open("a") as file:
                file.write("\n---\n\n" + first.read_text())
            first.unlink()

    def change_template(self) -> None:
        (self.root / "templates" / "pages").mkdir(parents=True, exist_ok=True)
        text = f"# Cards {self.chance.random()} {{#top}}\n\n{{{{ site.main_cards | length }}}}\n"
        (self.root / "templates" / "pages" / "cards.md.j2").write_text(text)

    def change_theme(self) -> None:
        (self.root / "templates" / "theme" / "styles").mkdir(parents=True, exist_ok=True)
        (self.root / "templates" / "theme" / "styles" / "mine.css").write_text(f"/* {self.chance.random()} */")

    def change_settings(self) -> None:
        file = self.root / "mkdocs.yml"
        file.write_text(
            re.sub(r"^site_name: .*$", f"site_name: Notes {self.chance.random()}", file.read_text(), flags=re.MULTILINE)
        )

    def change_schema(self) -> None:
        file = self.root / "templates" / "card.md"
        file.write_text(file.read_text() + "\n")

    def model(self) -> None:
        (self.root / "reference_models" / "toy.py").write_text(MODEL + f"# {self.chance.random()}\n")

    def measure(self) -> None:
        file = self.root / "reference_models" / "measured.yml"
        file.write_text(
            re.sub(r"params: \d+", f"params: {self.chance.randint(10**6, 10**8)}", file.read_text(), count=1)
        )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "kb"
    start(folder, "en")
    settings = folder / "mkdocs.yml"
    settings.write_text(re.sub(r"^plugins:\n(?: .*\n)+", "plugins: []\n", settings.read_text(), flags=re.MULTILINE))
    return folder


@pytest.mark.parametrize("seed", SEEDS)
def test_a_build_after_changes_is_what_a_clean_one_makes(root, tmp_path, seed):
    author = Author(root, seed)
    assert trees.built(root).code == 0
    compared = 0
    for _ in range(STEPS):
        done = [author.act() for _ in range(author.chance.randint(1, 2))]
        outcome = trees.built(root)
        expected = trees.clean(root, tmp_path / "clean")
        assert (outcome.code, outcome.problems, outcome.summary) == (
            expected.code,
            expected.problems,
            expected.summary,
        ), done
        if outcome.code == 0:
            compared += 1
            assert trees.differences(root, tmp_path / "clean") == [], done
    assert compared > STEPS / 2
