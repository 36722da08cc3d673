"""The last thing that happens to HTML made from notes: only listed tags, attributes and addresses are left in it.

The tags are those of `markdown_rules.html`, which authors may write; the renderer and the pages add a few attributes.
"""

from __future__ import annotations

from functools import cache

import nh3

from kb.markdown_rules.html import ATTRIBUTES, TAGS

_OURS = {"class", "id", "aria-label", "aria-hidden", "role", "tabindex"}
_STYLES = {
    *("text-align", "vertical-align", "width", "height", "max-width", "zoom", "float"),
    *("color", "background-color", "font-weight", "font-style", "text-decoration"),
}


def clean(html: str) -> str:
    """The HTML without anything that could run, load from elsewhere, or reach out of its place."""
    return _cleaner().clean(html)


@cache
def _cleaner() -> nh3.Cleaner:
    attributes = {tag: set(names) for tag, names in ATTRIBUTES.items()}
    attributes["*"] |= _OURS
    attributes["a"] |= {"rel"}
    attributes["img"] |= {"loading"}
    attributes["input"] = {"disabled", "checked"}
    return nh3.Cleaner(
        tags=set(TAGS | {"input", "label"}),
        clean_content_tags={"script", "style"},
        attributes=attributes,
        tag_attribute_values={"input": {"type": {"checkbox"}}},
        generic_attribute_prefixes={"data-"},
        url_schemes={"http", "https", "mailto"},
        filter_style_properties=_STYLES,
        link_rel=None,
    )
