"""Expressions in notes: `kb= mobilenet_v1().macs`, a value to show, and `kb? … in 8..9`, a claim to check.

Tokens, a small tree, and an exact evaluation in fractions. Nothing is evaluated as Python: a name is a call, one of
a measurement's quantities, a kind of layer, or one of four functions. `at` counts from 0 within the code span.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kb.calls import DOTTED, NAME, CallError
from kb.problems import nearest
from kb.records import Measurement

VALUE, CLAIM = MARKS = ("kb= ", "kb? ")
FUNCTIONS = ("share", "min", "max", "sum")
PARAMETERS = ("params", "weights", "biases", "normalisation", "buffers", "classifier_params")  # counted without running
WORK = ("macs", "flops", "classifier_macs", "activations", "peak_activation_bytes", "largest_activation")
BY_KIND = ("params", "macs", "flops")  # what is known of each kind of layer
RELATIONS = ("<", "<=", ">", ">=", "==", "in", "~")
UNITS = {"": Fraction(1), "%": Fraction(1, 100)} | {
    unit: Fraction(10**power) for unit, power in (("K", 3), ("M", 6), ("G", 9), ("B", 9), ("T", 12))
}

# No expression that a person writes comes near these.
LONGEST = 1000  # characters
MOST_TOKENS = 200
DEEPEST = 40  # brackets within brackets
MOST_DIGITS = 30
LARGEST_POWER = 64
LARGEST_BITS = 2048

_NUMBER = re.compile(r"([0-9]+(?:\.([0-9]+))?)(?: ?(%|[KMGBT](?!\w)))?")
_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<number>{_NUMBER.pattern})|"
    rf"(?P<name>{DOTTED}\.{NAME}(?=\s*\()|(?:{NAME}(?:\.{NAME})*:)?{NAME})"
    r"|(?P<sign>\.\.|<=|>=|==|\*\*|[-+*/^~<>(),.])|(?P<other>.)",
    re.DOTALL,
)
_OPENS = re.compile(r"\s*\(")
_BRACKET_OR_STRING = re.compile(r"""[()]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_MEANT = {"≤": "<=", "≥": ">=", "≈": "~", "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "²": "^2", "³": "^3"}
_MEANT |= {"=": "==", "!": "<` or `>", "…": "..", "[": "(", "{": "("}


class ExpressionError(ValueError):
    """Why a text is no expression: a code, a message, what to write instead, and where in the code span."""

    def __init__(self, message: str, at: int, hint: str = "", code: str = "K504") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint
        self.code = code


class Unmeasured(LookupError):
    """The measurement of a call is missing, or does not tell what the expression asks of it."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written; `step` is the weight of its last digit."""

    value: Fraction
    step: Fraction
    unit: str
    at: int


@dataclass(frozen=True, slots=True)
class Quantity:
    """What measuring a call gives, of the whole model or of its layers of one kind."""

    call: str
    name: str
    at: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of expressions. `share` has one, a quantity, and the kinds of layer that the share is of."""

    name: str
    arguments: tuple[Node, ...]
    at: int
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """Two expressions and the sign between them."""

    sign: str
    left: Node
    right: Node
    at: int


Node = Number | Quantity | Function | Operation
Normal = Callable[[str], str]  # the normal form of a call; raises CallError
Measured = Callable[[str], Measurement | None]  # by call in normal form


@dataclass(frozen=True, slots=True)
class Expression:
    """A value; or a claim, whose `relation` holds between it and one bound, for `in` two."""

    value: Node
    relation: str = ""
    bounds: tuple[Node, ...] = ()

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls that it names."""
        quantities = (each for node in (self.value, *self.bounds) for each in _quantities(node))
        return tuple(dict.fromkeys(quantity.call for quantity in quantities))


@dataclass(frozen=True, slots=True)
class Result:
    """What an expression gives; `holds` is None for one that claims nothing."""

    value: Fraction
    holds: bool | None = None
    bounds: tuple[Fraction, ...] = ()


# ---------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, call, sign or end
    text: str
    at: int


def parse(source: str, normal: Normal = str) -> Expression:
    """The expression in a code span, its mark included; `normal` gives the calls in it their normal form."""
    tokens = _tokens(source)
    expression = _Reader(tokens, normal).expression(claims=source.startswith(CLAIM))
    if not expression.calls:
        hint = (
            f"name one, as in `mobilenet_v1().macs`; without the space after `{source[:3]}` this is code as any other"
        )
        raise ExpressionError("the expression names no model", len(VALUE), hint)
    return expression


def calls_in(text: str) -> tuple[str, ...]:
    """The calls in a text that is an expression, or a call by itself; none in one that is neither."""
    try:
        return tuple(dict.fromkeys(token.text for token in _scanned(text, 0) if token.kind == "call"))
    except ExpressionError:
        return ()


def with_calls(source: str, normal: Normal) -> str:
    """The same code span, its calls in normal form; raises CallError and ExpressionError."""
    for token in reversed(_tokens(source)):
        if token.kind == "call":
            source = source[: token.at] + normal(token.text) + source[token.at + len(token.text) :]
    return source


def _tokens(source: str) -> list[_Token]:
    if len(source) > LONGEST:
        raise ExpressionError(f"the expression is longer than {LONGEST} characters", 0, "make two of it")
    tokens: list[_Token] = []
    for token in _scanned(source, len(VALUE)):
        tokens.append(token)
        if len(tokens) > MOST_TOKENS:
            raise ExpressionError(f"the expression has more than {MOST_TOKENS} parts", token.at, "make two of it")
    return tokens


def _scanned(source: str, at: int) -> Iterator[_Token]:
    while found := _TOKEN.match(source, at):
        kind, text = str(found.lastgroup), found[0]
        if kind == "other":
            raise ExpressionError(f"`{text}` cannot stand in an expression", at, _meant(text))
        if kind == "name" and text not in FUNCTIONS and _OPENS.match(source, found.end()):
            kind, text = "call", source[at : _end_of_call(source, found.end())]
        if kind != "space":
            yield _Token(kind, text, at)
        at += len(text)
    yield _Token("end", "", len(source))


def _meant(letter: str) -> str:
    """What to write for a character that looks like one of ours."""
    plain = _MEANT.get(letter) or unicodedata.normalize("NFKC", letter)
    if letter == "%":
        return "`%` stands after a number: `94.86%`"
    return f"write `{_MEANT.get(plain, plain)}`" if plain != letter and plain.isprintable() else ""


def _end_of_call(source: str, start: int) -> int:
    """Where the bracket closes that opens next; brackets within strings are part of these."""
    depth = 0
    for found in _BRACKET_OR_STRING.finditer(source, start):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 and found[0] == ")":
            return found.end()
    raise ExpressionError("a bracket is not closed", source.index("(", start), "write `)` after it")


class _Reader:
    """Reads tokens from left to right; a method for each level of binding, the loosest first."""

    def __init__(self, tokens: Sequence[_Token], normal: Normal) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0
        self.normal = normal

    def expression(self, *, claims: bool) -> Expression:
        value = self._sum()
        if not claims:
            self._end("a claim begins with `kb? `" if self._next().text in RELATIONS else "")
            return Expression(value)
        relation = self._take()
        if relation.text not in RELATIONS:
            hint = "write `<`, `<=`, `>`, `>=`, `==`, `in a..b`, or `~` and digits; a value begins with `kb= `"
            raise ExpressionError(
                "the claim compares nothing" if relation.kind == "end" else _odd(relation), relation.at, hint
            )
        bounds = self._bounds(relation.text)
        self._end("one claim compares once; for two bounds write `in a..b`" if self._next().text in RELATIONS else "")
        return Expression(value, relation.text, bounds)

    def _bounds(self, relation: str) -> tuple[Node, ...]:
        if relation == "in":
            low = self._sum()
            self._require("..", "a range is written `8..9`")
            return low, self._sum()
        if relation == "~":
            return (self._digits(),)
        return (self._sum(),)

    def _digits(self) -> Number:
        """What stands after `~`: digits as printed."""
        minus = self._accept("-")
        token = self._take()
        if token.kind != "number":
            raise ExpressionError(
                "digits are missing after `~`", token.at, "write them as they are printed: `~ 94.86%`"
            )
        number = _number(token)
        return Number(-number.value, number.step, number.unit, number.at) if minus else number

    def _sum(self) -> Node:
        node = self._product()
        while sign := self._accept("+", "-"):
            node = Operation(sign.text, node, self._product(), sign.at)
        return node

    def _product(self) -> Node:
        node = self._factor()
        while sign := self._accept("*", "/"):
            node = Operation(sign.text, node, self._factor(), sign.at)
        return node

    def _factor(self) -> Node:
        negative = False
        at = self._next().at
        while self._accept("-"):
            negative = not negative
        node = self._power()
        return Operation("-", Number(Fraction(0), Fraction(1), "", at), node, at) if negative else node

    def _power(self) -> Node:
        base = self._term()
        sign = self._accept("^", "**")
        if not sign:
            return base
        exponent = self._take()
        if not exponent.text.isdecimal() or exponent.kind != "number" or int(exponent.text[:9]) > LARGEST_POWER:
            hint = f"it is a whole number up to {LARGEST_POWER}: `x^2`"
            raise ExpressionError("the power cannot be used", exponent.at, hint)
        return Operation("^", base, _number(exponent), sign.at)

    def _term(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return _number(token)
        if token.kind == "call":
            return self._quantity(token)
        if token.kind == "name" and token.text in FUNCTIONS and self._accept("("):
            return self._within(lambda: self._function(token), token)
        if token.text == "(" and token.kind == "sign":
            return self._within(self._sum, token)
        raise ExpressionError(*_no_term(token))

    def _within(self, read: Callable[[], Node], opening: _Token) -> Node:
        """What stands between an opening bracket, taken already, and the one that closes it."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError("the brackets are nested too deeply", opening.at, "make two expressions of it")
        node = read()
        self._require(")", "close the bracket")
        self.depth -= 1
        return node

    def _quantity(self, token: _Token) -> Quantity:
        call = self._normal(token)
        if not self._accept("."):
            hint = f"write what of it: {', '.join(f'`.{name}`' for name in BY_KIND)}, …"
            raise ExpressionError(f"`{_short(token.text)}` is a model, and no number", token.at, hint)
        name = self._take()
        if name.text not in PARAMETERS + WORK:
            hint = nearest(name.text, PARAMETERS + WORK)
            raise ExpressionError(f"a measurement has no `{_short(name.text)}`", name.at, hint)
        kind = self._kind() if name.text in BY_KIND and self._accept(".") else ""
        return Quantity(call, name.text, token.at, kind)

    def _normal(self, token: _Token) -> str:
        try:
            return self.normal(token.text)
        except CallError as error:
            raise ExpressionError(error.message, token.at, error.hint, error.code) from None

    def _kind(self) -> str:
        token = self._take()
        if token.kind != "name":
            raise ExpressionError("the kind of layer is missing", token.at, "write it as in `share(x().macs, conv1x1)`")
        return token.text

    def _function(self, token: _Token) -> Function:
        if token.text == "share":
            return self._share(token)
        arguments = [self._sum()]
        while self._accept(","):
            arguments.append(self._sum())
        return Function(token.text, tuple(arguments), token.at)

    def _share(self, token: _Token) -> Function:
        whole = self._term()
        if not isinstance(whole, Quantity) or whole.name not in BY_KIND or whole.kind:
            hint = "write `share(mobilenet_v1().macs, conv1x1)`; of weights, divide: `x().params.conv1x1 / x().weights`"
            raise ExpressionError("a share is of a model's params, macs or flops", whole.at, hint)
        self._require(",", "a kind of layer follows: `share(x().macs, conv1x1)`")
        kinds = [self._kind()]
        while self._accept(","):
            kinds.append(self._kind())
        return Function("share", (whole,), token.at, tuple(kinds))

    def _next(self) -> _Token:
        return self.tokens[self.position]

    def _take(self) -> _Token:
        token = self._next()
        self.position += token.kind != "end"
        return token

    def _accept(self, *signs: str) -> _Token | None:
        token = self._next()
        return self._take() if token.kind == "sign" and token.text in signs else None

    def _require(self, sign: str, hint: str) -> None:
        token = self._next()
        if not self._accept(sign):
            raise ExpressionError(f"`{sign}` is missing" if token.kind == "end" else _odd(token), token.at, hint)

    def _end(self, hint: str) -> None:
        token = self._next()
        if token.kind != "end":
            raise ExpressionError(_odd(token), token.at, hint or _hint_for(token))


def _odd(token: _Token) -> str:
    return f"`{_short(token.text)}` cannot stand here"


def _hint_for(token: _Token) -> str:
    """For a token after an end: often a unit, or a word of Python."""
    if token.kind == "name" and token.text in ("and", "or", "not", "if"):
        return "write a claim of its own for each"
    return f"units are {', '.join(f'`{unit}`' for unit in UNITS if unit)}" if token.kind == "name" else ""


def _no_term(token: _Token) -> tuple[str, int, str]:
    """What is wrong with a token where a number or a call should stand."""
    if token.kind == "name":
        return f"`{_short(token.text)}` is no number", token.at, f"a model is named by a call: `{_short(token.text)}()`"
    message = "the expression ends too early" if token.kind == "end" else _odd(token)
    return message, token.at, "a number or a call should stand here"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _number(token: _Token) -> Number:
    found = _NUMBER.fullmatch(token.text)
    if not found or len(found[1]) > MOST_DIGITS:
        raise ExpressionError(f"the number has more than {MOST_DIGITS} digits", token.at)
    unit = found[3] or ""
    step = UNITS[unit] / 10 ** len(found[2] or "")
    return Number(Fraction(found[1]) * UNITS[unit], step, unit, token.at)


def _quantities(node: Node) -> Iterator[Quantity]:
    if isinstance(node, Quantity):
        yield node
    elif isinstance(node, Function):
        yield from (found for argument in node.arguments for found in _quantities(argument))
    elif isinstance(node, Operation):
        yield from _quantities(node.left)
        yield from _quantities(node.right)


# ------------------------------------------------------------------------------------------------------- evaluation


def evaluate(expression: Expression, measured: Measured) -> Result:
    """What an expression gives; raises Unmeasured, and ExpressionError for what cannot be computed."""
    value = _value(expression.value, measured)
    bounds = tuple(_value(bound, measured) for bound in expression.bounds)
    return Result(value, _holds(value, expression, bounds) if expression.relation else None, bounds)


def _holds(value: Fraction, expression: Expression, bounds: tuple[Fraction, ...]) -> bool:
    first, last = bounds[0], bounds[-1]
    match expression.relation:
        case "<":
            return value < first
        case "<=":
            return value <= first
        case ">":
            return value > first
        case ">=":
            return value >= first
        case "==":
            return value == first
        case "in" if first > last:
            raise ExpressionError("the range is empty", expression.bounds[0].at, "the lower bound stands first")
        case "in":
            return first <= value <= last
    # `~`: a half may have been rounded either way, as in a table's cell.
    digits = expression.bounds[0]
    return isinstance(digits, Number) and abs(value - first) <= digits.step / 2


def _value(node: Node, measured: Measured) -> Fraction:
    match node:
        case Number():
            return node.value
        case Quantity():
            return Fraction(_count(node, measured))
        case Function(name="share"):
            return _share(node, measured)
        case Function():
            values = [_value(argument, measured) for argument in node.arguments]
            functions: dict[str, Callable[[list[Fraction]], Fraction]] = {"min": min, "max": max, "sum": _added}
            return functions[node.name](values)
        case Operation():
            return _operated(node, _value(node.left, measured), _value(node.right, measured))


def _added(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0))


def _count(quantity: Quantity, measured: Measured) -> int:
    measurement = measured(quantity.call)
    if measurement is None or (measurement.incomplete and quantity.name in WORK):
        raise Unmeasured(quantity.call)
    if not quantity.kind:
        return int(getattr(measurement, quantity.name))
    if quantity.kind not in measurement.by_kind:
        message = f"`{_short(quantity.call)}` has no layers of the kind `{_short(quantity.kind)}`"
        raise ExpressionError(message, quantity.at, nearest(quantity.kind, measurement.by_kind))
    total = measurement.by_kind[quantity.kind]
    return {"params": total.params, "macs": total.macs, "flops": 2 * total.macs}[quantity.name]


def _share(node: Function, measured: Measured) -> Fraction:
    (whole,) = _quantities(node)
    parts = sum(_count(Quantity(whole.call, whole.name, node.at, kind), measured) for kind in dict.fromkeys(node.kinds))
    return _divided(Fraction(parts), Fraction(_count(whole, measured)), node.at)


def _operated(node: Operation, left: Fraction, right: Fraction) -> Fraction:
    match node.sign:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case "/":
            result = _divided(left, right, node.at)
        case _:
            result = _raised(left, int(right), node.at)
    return _bounded(result, _bits(result), node.at)


def _divided(left: Fraction, right: Fraction, at: int) -> Fraction:
    if not right:
        raise ExpressionError("this divides by zero", at)
    return left / right


def _raised(base: Fraction, exponent: int, at: int) -> Fraction:
    """A power, refused before it is computed if it would be huge."""
    return _bounded(base, _bits(base) * exponent, at) ** exponent


def _bits(number: Fraction) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def _bounded(number: Fraction, bits: int, at: int) -> Fraction:
    if bits > LARGEST_BITS:
        raise ExpressionError("the numbers become too large", at)
    return number
