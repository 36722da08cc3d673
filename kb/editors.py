"""What editors are given: a snippet of the card template, and schemas for the YAML that people write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb.resources import PACKAGE
from kb.schema import KEY_PLACEHOLDER, NAME_PLACEHOLDER, Schema

SNIPPETS = ".vscode/kb.code-snippets"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def schemas() -> dict[str, str]:
    """The JSON Schemas that come with kb, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((PACKAGE / "schemas").glob("*.json"))}


def snippets(schema: Schema) -> str:
    """A file of VS Code snippets: the template's card, with a tab stop for each thing to fill in."""
    body = list(_Stops(schema).lines(schema.template.rstrip().split("\n")))
    card = {"scope": "markdown", "prefix": ["card", "kb"], "description": "A card, from the template", "body": body}
    return json.dumps({"Card": card}, ensure_ascii=False, indent=2) + "\n"


@dataclass
class _Stops:
    """Turns a template's lines into a snippet's, numbering the tab stops."""

    schema: Schema
    number: int = 0
    level: int = 0  # of the headings that open sections

    def lines(self, template: list[str]) -> Iterator[str]:
        title, *rest = template
        self.level = len(title) - len(title.lstrip("#")) + 1
        yield self.title(title)
        for line in rest:
            is_section = re.match(rf"#{{{self.level}}}\s", line)
            yield _escaped(line) if is_section else self.filled(line)
            if is_section:
                yield from ("", self.stop(""))

    def title(self, line: str) -> str:
        """The heading, a stop for the name and one for each part of the citekey."""
        name, key = (line.find(place) for place in (NAME_PLACEHOLDER, KEY_PLACEHOLDER))
        if 0 <= name < key:
            line = f"{line[:name]}{{{NAME_PLACEHOLDER}}}{line[name + len(NAME_PLACEHOLDER) :]}"
        return self.filled(line)

    def filled(self, line: str) -> str:
        """A line, its placeholders made stops."""
        parts = _PLACEHOLDER.split(line)
        return "".join(self.stop(part) if number % 2 else _escaped(part) for number, part in enumerate(parts))

    def stop(self, words: str) -> str:
        """The next stop: a choice of kinds where the words list them, else a text to be replaced."""
        self.number += 1
        kinds = self.kinds(words)
        if kinds:
            return f"${{{self.number}|{','.join(map(_in_choice, kinds))}|}}"
        return f"${{{self.number}:{_escaped(words)}}}" if words else f"${self.number}"

    def kinds(self, words: str) -> list[str]:
        """The kinds that a placeholder lists, in one language; none where it does not list at least two."""
        listed = {part.strip() for part in re.split(r"[/,，、:：|]", words)}
        found = [[label for label in labels if label in listed] for labels in self._labels()]
        return max((each for each in found if len(each) > 1), key=len, default=[])

    def _labels(self) -> Iterator[list[str]]:
        kinds = self.schema.kinds.values()
        yield list(self.schema.kinds)
        for language in ("zh", "en"):
            yield [kind.labels[language] for kind in kinds]


def _escaped(text: str) -> str:
    return re.sub(r"[\\$}]", lambda mark: f"\\{mark[0]}", text)


def _in_choice(text: str) -> str:
    return re.sub(r"[\\$},|]", lambda mark: f"\\{mark[0]}", text)
