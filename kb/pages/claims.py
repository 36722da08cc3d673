"""A card's expressions on its page: their values within the text, and all of them listed below it."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from kb.claims import Outcome
from kb.expressions import MARKS
from kb.pages.views import CardView
from kb.records import Claim
from kb.texts import Texts

# The mark of a claim's outcome, and the verdict whose colour it has.
_MARKS = {"holds": ("✓", "agrees"), "fails": ("✗", "unexplained")}
_MARKS |= {"unmeasured": ("?", "unmeasured")}


def claim_writer(view: CardView, texts: Texts, outcome: Callable[[Claim], Outcome]) -> Callable[[str], str | None]:
    """For a renderer: what to show in place of a code span that holds an expression, None for other spans."""
    known = {each.outcome.claim.source: each.outcome for each in view.claims}

    def write(source: str) -> str | None:
        if not source.startswith(MARKS):
            return None
        # A footnote may be defined outside the card.
        found = known.get(source) or outcome(Claim(source, view.card.line))
        return None if found.status == "unreadable" else str(_inline(found, texts))

    return write


def in_text(view: CardView, source: str) -> str:
    """What a code span says in plain text: an expression its value."""
    claim = view.claim(source) if source.startswith(MARKS) else None
    return claim.outcome.shown or claim.outcome.text if claim else source


def _inline(found: Outcome, texts: Texts) -> Markup:
    title = texts("claim.title", expression=found.text, outcome=in_words(found, texts))
    shown = found.shown or Markup("<code>{}</code>").format(found.text)
    return Markup('<span class="kb-claim {}" title="{}">{}{}</span>').format(
        style(found), title, mark(found, texts), shown
    )


def mark(found: Outcome, texts: Texts) -> Markup:
    """The mark of a claim, and its meaning for those who cannot see it; nothing for a value."""
    if found.status == "value":
        return Markup("")
    sign = _MARKS[found.status][0]
    name = texts(f"claim.{found.status}")
    return Markup('<span class="kb-mark" aria-hidden="true">{}</span><span class="kb-sr">{}</span> ').format(sign, name)


def style(found: Outcome) -> str:
    """The class that gives a claim its colour; a value has the text's."""
    return "kb-value" if found.status == "value" else f"kb-is-{_MARKS[found.status][1]}"


def in_words(found: Outcome, texts: Texts) -> str:
    """What came of an expression, as a phrase."""
    if found.status in ("value", "unmeasured"):
        return found.shown or texts("claim.unmeasured")
    compared = texts("claim.compared", bounds=texts("list.comma").join(found.bounds)) if found.bounds else ""
    return texts("claim.outcome", value=found.shown, compared=compared, status=texts(f"claim.{found.status}"))
