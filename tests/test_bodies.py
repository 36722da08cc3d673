"""Bodies come out as their authors meant them, and nothing in them runs."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from case_files import Case, read_cases
from hypothesis import given
from hypothesis import strategies as st

from kb.bodies import BodyContext, highlight, render
from kb.sanitising import clean

CASES = Path(__file__).parent / "cases" / "bodies"
TARGETS = {
    "Sandler2018CVPR": "Sandler2018CVPR.html",
    "MobileNetV2": "Sandler2018CVPR.html",
    "mobilenet_v2.md": "Sandler2018CVPR.html",
    "#part": "#part",
    "a.png": "images/a.png",
    "a b.png": "images/a%20b.png",
    "x.assets/a.png": "images/x.assets/a.png",
}
DEFINITIONS = """\
[outer]: https://example.org/outer "Outer"
[paper]: https://example.org/paper

[^outer]: from **elsewhere**
[^table]: a table

    | a |
    |---|
    | 1 |
"""
CONTEXT = BodyContext(
    first_line=100,
    definitions=DEFINITIONS,
    prefix="s",
    resolve=lambda link: TARGETS.get(link.target),
    code=lambda text: "#model" if text == "mobilenet_v1()" else None,
)
HOOKED = replace(
    CONTEXT,
    cell=lambda line, column: f'<small class="figure" data-line="{line}">[{line},{column}]</small>',
    table=lambda line: f"<p>table {line}</p>",
)


def rendered(source, context=CONTEXT):
    return render(source, context).strip("\n")


VISIBLE = [
    case
    for name in ("emphasis", "math", "tables", "html", "links", "blocks")
    for case in read_cases(CASES / f"{name}.md")
]


@pytest.mark.parametrize("case", VISIBLE, ids=str)
def test_body(case: Case):
    assert rendered(case.source) == case.expected


@pytest.mark.parametrize("case", read_cases(CASES / "hooks.md"), ids=str)
def test_figures_of_the_page(case: Case):
    assert rendered(case.source, HOOKED) == case.expected


def test_what_the_hooks_add_is_sanitised_too():
    context = replace(CONTEXT, cell=lambda *_: "<script>alert(1)</script>4.2")
    assert "script" not in rendered("| a |\n|---|\n| 1 |", context)
    assert "4.2</td>" in rendered("| a |\n|---|\n| 1 |", context)


def test_titles_of_callouts_are_in_the_language_of_the_page():
    context = replace(CONTEXT, callout_titles={"note": "注"})
    assert '<p class="admonition-title">注</p>' in rendered("> [!NOTE]\n> x", context)
    assert '<p class="admonition-title">Own</p>' in rendered("> [!NOTE] Own\n> x", context)


def test_a_link_by_key_is_shown_by_the_cards_name():
    context = replace(CONTEXT, name={"Howard2017arxiv": "MobileNetV1"}.get)
    shown = rendered("[[Howard2017arxiv]] [[Howard2017arxiv|first]] [[Other2020x]]", context)
    assert re.findall(r">([^<>]+)</(?:a|span)>", shown) == ["MobileNetV1", "first", "Other2020x"]


def test_links_know_their_lines():
    asked = []
    render("a\n\n[[A2020x]] ![b](b.png)", replace(CONTEXT, resolve=asked.append))
    assert [(link.kind, link.target, link.line, link.column) for link in asked] == [
        ("wiki", "A2020x", 102, 1),
        ("image", "b.png", 102, 12),
    ]


def test_ids_of_two_bodies_differ():
    source = "# A\n\nx[^1]\n\n[^1]: y"
    ids = [set(re.findall(r'id="([^"]*)"', render(source, replace(CONTEXT, prefix=prefix)))) for prefix in ("a", "b")]
    assert len(ids[0]) == 3
    assert not ids[0] & ids[1]


def test_source_code_has_a_place_for_each_line():
    html = highlight('"""Doc\nstring."""\n\nx = 1\n', "python", first_line=7, anchor_prefix="code")
    assert re.findall(r'id="([^"]*)"', html) == ["code-7", "code-8", "code-9", "code-10"]
    assert re.sub(r"<[^>]*>", "", html).replace("&quot;", '"').strip("\n") == '"""Doc\nstring."""\n\nx = 1'


# What an attacker may write

PAYLOADS = (CASES / "hostile.txt").read_text(encoding="utf-8").split("\n.\n")[1:-1]
CONTEXTS = {
    "alone": "{}",
    "in a list": "- a\n- {}",
    "in a quotation": "> {}",
    "in a cell": "| a |\n|---|\n| {} |",
    "in a link": "[{}](https://example.org)",
    "in an image": "![{}](a.png)",
    "in a heading": "## {}",
    "in a callout": "> [!NOTE] {}\n> x",
    "in a footnote": "x[^1]\n\n[^1]: {}",
    "in HTML": "<div>\n{}\n</div>",
    "in open HTML": "<details><summary>{}</summary>",
    "in an attribute": '<b title="{}">x</b>',
    "in emphasis": "**{}** ==x==",
    "in math": "$x {} y$",
    "under text": "text\n{}",
}
TAGS = """
    a b blockquote br code dd del details div dl dt em font h1 h2 h3 h4 h5 h6 hr i img input kbd label li mark ol p pre
    s small span strong sub summary sup table tbody td th thead tr u ul
"""
ATTRIBUTES = """
    href rel title class id src alt loading width height style align lang dir color open type disabled checked start
    colspan rowspan
"""


class Reader(HTMLParser):
    """Every tag of a piece of HTML with its attributes, as a browser would see them."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def faults(html, prefix="s"):
    """What in the HTML could run, load from elsewhere, or pass itself off as a part of the page."""
    for tag, attributes in Reader(html).tags:
        address = attributes.get("href", attributes.get("src", "")).lower()
        address = re.sub(r"[\t\r\n]|^[\x00-\x20]+", "", address)  # which browsers do
        if tag not in TAGS.split():
            yield f"<{tag}>"
        for name in set(attributes) - set(ATTRIBUTES.split()):
            yield f"<{tag}> with {name}"
        if re.match(r"[a-z][a-z0-9+.-]*:", address) and not re.match(r"https?://|mailto:", address):
            yield f"the address {address}"
        if tag == "img" and re.match(r"\w+:|[/\\]{2}", address):
            yield f"an image from {address}"
        if "id" in attributes and not attributes["id"].startswith(f"{prefix}-"):
            yield f"the id {attributes['id']}"
        if re.search(r"url|expression|position|behavior|import", attributes.get("style", "")):
            yield f"the style {attributes['style']}"


def test_the_payloads_are_many():
    assert len(PAYLOADS) >= 60


def test_faults_are_found():
    """The check that the payloads go through is not blind."""
    bad = [
        "<script>",
        "<b onclick=x>",
        "<a href=' java\nscript:x'>",
        "<img src=//e>",
        "<b id=x>",
        "<b style='x:url(y)'>",
    ]
    assert all(list(faults(html)) for html in bad)
    assert not list(faults('<a href="https://example.org" rel="noopener">x</a><img src="a.png" alt="">'))


# Pages may answer every question about a link, and do so naively.
ANSWERS = {"nothing": lambda _: None, "anything": lambda link: link.target}


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_nothing_hostile_survives(context, answer):
    for payload in PAYLOADS:
        html = render(CONTEXTS[context].replace("{}", payload), replace(CONTEXT, resolve=ANSWERS[answer]))
        assert not list(faults(html)), payload
        assert Reader(clean(html)).tags == Reader(html).tags, payload  # read once more, it means the same


PIECES = r"""
< > </ <b <img·src= <a·href= <div> </div> <table> <td> <p> </p> <!-- --> " ' = ·onerror=alert(1)· javascript: &#106;
&colon; & ; [ ]( ) ![ ` $ $$ ⏎ ⏎⏎ -· >· | |-| \ \) x <script> </script> <style> <svg> <math> <pre> ``` [^1] [^1]:·
>·[!NOTE]· style=' color:red #· https://a.b/ <details>
"""


@given(st.lists(st.sampled_from(PIECES.split()), max_size=30).map("".join))
def test_nothing_hostile_is_found_by_chance(text):
    """Texts of pieces that may matter, in any order; · is a space and ⏎ a line's end."""
    html = render(text.replace("·", " ").replace("⏎", "\n"), replace(CONTEXT, resolve=ANSWERS["anything"]))
    assert not list(faults(html))
    assert Reader(clean(html)).tags == Reader(html).tags
