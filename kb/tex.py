"""A formula without what makes no difference to it: spacing, sizes of brackets, words, punctuation at its end."""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r"\\(?:text(?:rm|bf|it|sf|tt|normal)?|mbox|hbox)\s*\{[^{}]*\}")
_HAN = re.compile(r"[\u3400-\u9fff]+(?:[\s\u3400-\u9fff]*[\u3400-\u9fff])?")
_LAYOUT = re.compile(
    r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|textstyle|limits|nolimits|nonumber|notag|quad|qquad)(?![A-Za-z])"
    r"|(?<!\\)\\[,;:!> ]|~|\\(?:label|tag)\*?\s*\{[^{}]*\}"
)
_ALIGNED = re.compile(r"\\(?:begin|end)\s*\{(?:aligned|align|split|gathered|gather|equation|multline)\*?\}")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\S")
_SYNONYMS = {r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\le": r"\leq", r"\ge": r"\geq"}
_SYNONYMS |= {r"\ne": r"\neq", r"\to": r"\rightarrow", r"\lvert": "|", r"\rvert": "|", r"\ast": "*", "×": r"\times"}
_ENDS = {",", ".", ";", ":", "。", "、"}
_BRACED = re.compile(r"\{ (\S+) \}")


def normal_tex(tex: str) -> str:
    """The tokens of a formula, a space between them; words in it are the same in all languages."""
    text = "".join(unicodedata.normalize("NFKC", mark) if _is_wide(mark) else mark for mark in tex)
    if _ALIGNED.search(text):
        text = _ALIGNED.sub(" ", text).replace(r"\\", " ").replace("&", " ")
    text = _LAYOUT.sub(" ", _HAN.sub(r" \\text ", _WORDS.sub(r" \\text ", text)))
    tokens = [_SYNONYMS.get(token, token) for token in _TOKEN.findall(text)]
    while tokens and tokens[-1] in _ENDS:
        tokens.pop()
    return _BRACED.sub(r"\1", _BRACED.sub(r"\1", " ".join(tokens)))


def _is_wide(mark: str) -> bool:
    return unicodedata.east_asian_width(mark) in "FW"
