"""What the cards of a base name, kept between builds: found anew where a card has changed, or what cards are called.

`build/naming.json` holds a line for each card: a digest of its note, and what was found. It is only believed as a
whole: where papers have come, gone or been renamed, every card may name others than before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kb import inputs, writing
from kb.base import Base
from kb.mentions import Naming
from kb.plain_records import from_plain, to_plain
from kb.records import Card
from kb.workers import shared_out

LEAST = 50  # cards worth a process of their own

Kept = dict[str, Any]  # by card: a digest of its note, its references, its trace


def recall(base: Base, file: Path, fixed: str, digests: Mapping[str, str]) -> str:
    """Let a base know what its cards name; `digests` are those of their notes, `fixed` is one of all else but names.

    Gives a digest of all that they name.
    """
    head = inputs.digest([fixed, *base.names_made_of])
    known = _known(file, head)
    cards = {_key(card): card for card in base.cards if card.publish}
    found = {key: known[key] for key, card in cards.items() if known.get(key, [""])[0] == digests[card.path]}
    base.names.find("")  # its tables are made before processes are split
    fresh = [card for key, card in cards.items() if key not in found]
    for share in shared_out(partial(_found, base=base, digests=digests), fresh, LEAST) if fresh else ():
        found |= share
    for key, card in cards.items():
        _, references, trace = found[key]
        base.names.put(card, Naming(from_plain(references), trace))
    if found != known:
        lines = (json.dumps(each, ensure_ascii=False) for each in ([head, len(found)], *sorted(found.items())))
        writing.write_if_changed(file, "".join(f"{line}\n" for line in lines))
    return inputs.digest(json.dumps([key, *found[key][1:]]) for key in cards)


def _found(cards: Sequence[Card], base: Base, digests: Mapping[str, str]) -> Kept:
    named = ((card, base.naming(card)) for card in cards)
    return {_key(card): [digests[card.path], to_plain(each.references), each.trace] for card, each in named}


def _key(card: Card) -> str:
    return json.dumps([card.path, card.citekey, card.lang])


def _known(file: Path, head: str) -> Kept:
    """What was written down; nothing where it cannot be believed."""
    try:
        first, *lines = file.read_text(encoding="utf-8").split("\n")
        last = lines.pop()
        return dict(map(json.loads, lines)) if json.loads(first) == [head, len(lines)] and not last else {}
    except (OSError, ValueError, TypeError):
        return {}
