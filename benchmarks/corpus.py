"""Makes a knowledge base of any size from a seed: notes as people write them, in Chinese and English.

    python benchmarks/corpus.py FOLDER --cards 1000 [--seed 1] [--plain FOLDER]

A card has about 4.5 KB: three sections of prose with formulas, lists, code, links to earlier cards, a results table,
tags; some have a section of thoughts that is not published. Every tenth file holds three cards. With `--plain` the same
cards are also written as pages for plain MkDocs: what its users would write by hand, to compare with.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kb.starting import start

BYTES = 4500
# fmt: off
SURNAMES = [
    "Howard", "Sandler", "Tan", "Zhang", "Chen", "Wang", "Liu", "Müller", "García", "Nakamura", "Kim", "Ivanov",
    "O'Neil", "Dosovitskiy", "He", "Ma",
]
VENUES = ["CVPR", "ICCV", "ECCV", "NeurIPS", "ICLR", "ICML", "arXiv", "AAAI", "3DV"]
THINGS = ["Net", "Former", "Mixer", "Scan", "Flow", "Lite", "Fuse", "Seg", "Det", "Gen"]
TAGS = [
    "轻量级网络", "注意力", "目标检测", "语义分割", "量化", "pruning", "distillation", "NAS", "图像分类", "video",
]
SUBJECTS_ZH = [
    "深度可分离卷积", "倒残差结构", "注意力机制", "宽度乘子", "参数量", "特征金字塔", "批归一化", "知识蒸馏",
]
VERBS_ZH = ["降低了", "提高了", "改变了", "依赖于", "取代了", "约束着", "补充了", "分解为"]
OBJECTS_ZH = [
    "计算量", "移动端的延迟", "小目标的召回率", "训练的稳定性", "特征的表达能力", "显存占用", "模型的泛化能力",
]
TAILS_ZH = [
    "，但在低分辨率输入上并不明显", "，与消融实验一致", "，代价是多出少量参数", "，因此作者把它放在网络的后半部分", "",
]
SUBJECTS_EN = [
    "Depthwise convolution", "The linear bottleneck", "Window attention", "The squeeze stage", "Weight sharing",
]
VERBS_EN = ["reduces", "dominates", "does not change", "improves", "trades accuracy for", "replaces"]
OBJECTS_EN = [
    "the number of multiply-adds", "latency on a phone", "peak memory", "the receptive field", "top-1 accuracy",
]
TAILS_EN = [" by a wide margin", " at small widths", ", as Table 4 shows", " when the input is large", ""]
FORMULAS = [
    r"\alpha", r"D_K \times D_K", r"\frac{1}{N}+\frac{1}{D_K^2}", r"h \cdot w \cdot k \cdot t\,(k + D_K^2 + k')",
    r"x \cdot \sigma(x)", r"\mathbb{E}_{x \sim p}\left[\log q(x)\right]", r"\operatorname{softmax}(QK^\top/\sqrt{d})V",
]
# fmt: on
SECTIONS = {True: ("面临问题：", "解决方法：", "实验："), False: ("Problem", "Method", "Experiments")}


@dataclass(frozen=True)
class Made:
    """A card: its key and name, its lines, and whether it is in Chinese."""

    key: str
    name: str
    chinese: bool
    head: tuple[str, ...]
    body: tuple[str, ...]


def cards(count: int, seed: int = 1) -> Iterator[Made]:
    """So many cards, the same ones for a seed; more of them begin with the same ones."""
    keys: list[str] = []
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        made = card(rng, number, keys)
        keys.append(made.key)
        yield made


def card(rng: random.Random, number: int, earlier: list[str]) -> Made:
    """A card that may link to earlier ones."""
    author, venue, year = rng.choice(SURNAMES), rng.choice(VENUES), rng.randint(2012, 2026)
    name = f"{rng.choice(THINGS)}{rng.choice(THINGS)}-{number}"
    key = f"{author}{year}{venue}{letters(number)}"
    chinese = rng.random() < 0.7
    title = f"{rng.choice(SUBJECTS_EN)} {rng.choice(VERBS_EN)} {rng.choice(OBJECTS_EN)}: {name}"
    head = (
        f"> {'架构类文章' if chinese else 'Architecture'}",
        f"> {author} {rng.choice('ABCDEFGH')}., et al. {title}, {venue}{letters(number)} {year}",
        f"> {'标签' if chinese else 'tags'}: {', '.join(sorted(rng.sample(TAGS, rng.randint(1, 4))))}",
        f"> arXiv: {year % 100:02d}{rng.randint(1, 12):02d}.{number % 100000:05d}",
    )
    return Made(key, name, chinese, head, tuple(body(rng, chinese, earlier)))


def letters(number: int) -> str:
    """A number in capital letters, so that no two venues are alike."""
    text = ""
    while number or not text:
        number, digit = divmod(number, 26)
        text = chr(65 + digit) + text
    return text


def body(rng: random.Random, chinese: bool, earlier: list[str]) -> Iterator[str]:
    """Three sections of about `BYTES` together, the last with a results table."""
    for heading in SECTIONS[chinese]:
        table = list(results(rng, chinese)) if heading == SECTIONS[chinese][-1] else []
        yield from (f"#### {heading}", "")
        size = len("\n".join(table).encode())
        while size < BYTES / 3:
            block = rng.choice(BLOCKS)(rng, chinese)
            size += len("\n".join(block).encode())
            yield from (*block, "")
        if earlier:
            yield from (f"见 [[{rng.choice(earlier)}]]。" if chinese else f"See [[{rng.choice(earlier)}]].", "")
        yield from (*table, "")
    if rng.random() < 0.3:
        yield from ("#### 我的想法" if chinese else "#### My thoughts", "", *paragraph(rng, chinese), "")


def sentence(rng: random.Random, chinese: bool) -> str:
    """A sentence, some with a formula, code or emphasis in them."""
    formula, number = rng.choice(FORMULAS), rng.randint(2, 512)
    if chinese:
        text = rng.choice(SUBJECTS_ZH) + rng.choice(VERBS_ZH) + rng.choice(OBJECTS_ZH) + rng.choice(TAILS_ZH)
        marks = (f"（$ {formula} $）", f"，即 `nn.Conv2d(groups={number})`", "**（重要）**", "", "", "")
        return text + rng.choice(marks) + "。"
    text = f"{rng.choice(SUBJECTS_EN)} {rng.choice(VERBS_EN)} {rng.choice(OBJECTS_EN)}{rng.choice(TAILS_EN)}"
    marks = (f" (${formula}$)", f", as `layer_{number}` does", " *in practice*", "", "", "")
    return text + rng.choice(marks) + ". "


def paragraph(rng: random.Random, chinese: bool) -> list[str]:
    """Some sentences."""
    return ["".join(sentence(rng, chinese) for _ in range(rng.randint(2, 5))).strip()]


def bullets(rng: random.Random, chinese: bool) -> list[str]:
    """A list, of two levels at times."""
    indents = (("", "  ") if rng.random() < 0.3 else ("",) for _ in range(rng.randint(2, 4)))
    return [f"{indent}- {sentence(rng, chinese).strip()}" for each in indents for indent in each]


def display(rng: random.Random, _chinese: bool) -> list[str]:
    """A formula of its own."""
    return [f"$${rng.choice(FORMULAS)} = {rng.choice(FORMULAS)}$$"]


BLOCKS = (paragraph, paragraph, bullets, display)


def results(rng: random.Random, chinese: bool) -> Iterator[str]:
    """A results table."""
    yield f"| {'模型' if chinese else 'Model'} | Top-1 (%) | Params (M) | MAdds (M) |"
    yield "|---|---|---|---|"
    for number in range(rng.randint(2, 6)):
        yield f"| Variant {number} | {rng.uniform(50, 85):.1f} | {rng.uniform(1, 90):.1f} | {rng.randint(40, 9000)} |"


def write(folder: Path, count: int, seed: int) -> None:
    """A knowledge base with these cards at `folder`; every tenth file holds three."""
    start(folder, "zh")
    notes = folder / "notes"
    shutil.rmtree(notes)
    notes.mkdir()
    made = list(cards(count, seed))
    position = number = 0
    while position < len(made):
        group = made[position : position + (3 if number % 10 == 9 else 1)]
        text = "\n---\n\n".join(as_card(each) for each in group)
        (notes / f"{group[0].key}.md").write_text(text, encoding="utf-8")
        position, number = position + len(group), number + 1


def as_card(made: Made) -> str:
    """A card as kb reads it."""
    return "\n".join([f"### {made.name}: {made.key}", "", *made.head, "", *made.body]).rstrip() + "\n"


def write_plain(folder: Path, count: int, seed: int) -> None:
    """The same for plain MkDocs: a page a card, Material's search with its Chinese segmenter, arithmatex."""
    docs = folder / "docs"
    docs.mkdir(parents=True)
    (folder / "mkdocs.yml").write_text(PLAIN_SETTINGS, encoding="utf-8")
    (docs / "index.md").write_text("# Notes\n", encoding="utf-8")
    for made in cards(count, seed):
        lines = (line.replace("[[", "[").replace("]]", "](index.md)") for line in made.body)
        text = "\n".join([f"# {made.name}", "", *made.head, "", *(line.removeprefix("##") for line in lines)])
        (docs / f"{made.key}.md").write_text(text, encoding="utf-8")


PLAIN_SETTINGS = """\
site_name: Notes
use_directory_urls: false
nav: [index.md]
not_in_nav: "*.md"
theme: {name: material, language: zh, font: false}
plugins: [{search: {lang: [zh, en]}}]
markdown_extensions:
  - attr_list
  - tables
  - footnotes
  - pymdownx.arithmatex: {generic: true}
  - pymdownx.highlight
  - pymdownx.superfences
  - toc: {permalink: true}
"""


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cards", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", type=Path, help="a folder for the same cards as plain MkDocs pages")
    options = parser.parse_args()
    write(options.folder, options.cards, options.seed)
    if options.plain:
        write_plain(options.plain, options.cards, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
