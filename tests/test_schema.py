"""The card template is the schema: what it accepts, and every mistake in it as K602 with line and column."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kb.problems import format_problems
from kb.schema import default_schema, load_schema, parse_schema

CASES = Path(__file__).parent / "cases" / "templates"
BAD = sorted(CASES.glob("*.txt"))
SCHEMA = default_schema()


def test_the_template_that_comes_with_kb_is_in_order(root):
    _, problems = parse_schema((root / "templates" / "card.md").read_text(encoding="utf-8"), "templates/card.md")
    assert problems == []
    assert [section.id for section in SCHEMA.sections] == ["problem", "method", "experiments", "models", "thoughts"]
    assert [section.id for section in SCHEMA.sections if section.optional] == ["models", "thoughts"]
    assert [section.id for section in SCHEMA.sections if not section.publish] == ["thoughts"]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_mistakes(path):
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    _, problems = parse_schema(text, "templates/card.md")
    assert {found.code for found in problems} == {"K602"}
    assert format_problems(problems) == path.read_text(encoding="utf-8")


def test_a_template_of_ones_own(tmp_path):
    (tmp_path / "templates").mkdir()
    shutil.copy(CASES / "good.md", tmp_path / "templates" / "card.md")
    schema, problems = load_schema(tmp_path)
    assert problems == []
    assert schema.section_id("2. 为什么？") == "why"
    assert schema.kind_id("报告") == "talk"
    assert schema.match_citekey("he2016")["year"] == "2016"
    assert schema.front_matter == {"status": "draft", "reader": "me"}
    assert schema.template.startswith("## NAME: {author}{year}{venue}\n")


def test_a_template_that_cannot_be_used_leaves_the_default(tmp_path):
    (tmp_path / "templates").mkdir()
    shutil.copy(CASES / "yaml.md", tmp_path / "templates" / "card.md")
    schema, problems = load_schema(tmp_path)
    assert [found.code for found in problems] == ["K602"]
    assert schema.sections == SCHEMA.sections


@pytest.mark.parametrize(
    ("section", "headings"),
    {
        "problem": "面临问题： 现有问题 问题 动机 Problem Problem: MOTIVATION 1.背景 一、研究背景 【问题】",
        "method": "解决方法： 方法 本文方法 Method Methods Approach 3)Approach **Method** 思路/方法 🚀Approach",
        "experiments": "实验： 实验结果 结果 Experiments Results Evaluation Results&Evaluation 实验与结果",
        "thoughts": "我的想法： 我的想法 个人笔记 实验与我的想法 结论/我的想法",
        "models": "参考模型 参考模型： 参考实现",
        "": "方法与实验 结论 Conclusion Appendix 实验2 VOC2012test Models",
    }.items(),
)
def test_headings(section, headings):
    assert {heading: SCHEMA.section_id(heading) for heading in headings.split()} == dict.fromkeys(
        headings.split(), section
    )


@pytest.mark.parametrize(
    ("kind", "texts"),
    {
        "architecture": "架构类文章,架构类论文,架构,架构文章,ARCHITECTURE,architecture paper,网络架构,架构/综述类文章",
        "survey": "综述类文章,综述,综述性文章,Survey,survey paper,Review",
        "method": "方法类文章,算法,Method",
        "dataset": "数据集,数据集类文章,Dataset",
        "": "框架型,some remark,{kind},随笔",
    }.items(),
)
def test_kinds(kind, texts):
    assert {text: SCHEMA.kind_id(text) for text in texts.split(",")} == dict.fromkeys(texts.split(","), kind)


@pytest.mark.parametrize(
    "key",
    [
        "Howard2017arxiv",
        "He2016CVPR",
        "Milletari20163DV",
        "Zhang2018ICLRa",
        "O'Brien2020ICML",
        "Müller-Schmidt2019CVPR",
        "D’Amico2021ICCV",
        "何2016计算机学报",
        "Liu2021CVPR-W",
        "Nguyễn2020AAAI",
    ],
)
def test_citekeys_that_follow_the_pattern(key):
    assert SCHEMA.match_citekey(key)


@pytest.mark.parametrize(
    "key", ["VOC2012", "Howard17arxiv", "2017arxiv", "Howard2017", "He et al2016CVPR", "A_B2016CVPR"]
)
def test_citekeys_that_do_not(key):
    assert not SCHEMA.match_citekey(key)
