"""The site's own words, in each interface language: complete in all of them, which a test compares."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

LANGUAGES = ("zh", "en")


@cache
def _load(language: str) -> dict[str, str]:
    source = files("kb").joinpath("texts", f"{language}.yml").read_text(encoding="utf-8")
    return {
        str(key): str(value)
        for key, value in yaml.load(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)).items()
    }


@cache
def _under(language: str, start: str) -> Mapping[str, str]:
    return {key.removeprefix(start): text for key, text in _load(language).items() if key.startswith(start)}


class Texts:
    """The texts of one language. `texts("key", name=value)` fills the text's `{name}`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = _load(language)

    def __call__(self, key: str, **values: object) -> str:
        """The text under `key`; a missing key is a bug of ours, so it is not papered over."""
        return self._texts[key].format(**values)

    def named(self, prefix: str, name: str) -> str:
        """The text under `prefix.name`, or `name` itself: names that come from data may be new."""
        return self._texts.get(f"{prefix}.{name}", name)

    def under(self, prefix: str) -> Mapping[str, str]:
        """All texts whose keys begin with `prefix.`, by the rest of their keys."""
        return _under(self.language, f"{prefix}.")

    def own_name(self, language: str) -> str:
        """What those who speak a language call it; the code of one that is none of ours."""
        return Texts(language)("language.own") if language in LANGUAGES else language

    def keys(self) -> frozenset[str]:
        """Every key, for comparing languages."""
        return frozenset(self._texts)
