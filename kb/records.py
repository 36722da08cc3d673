"""The records that flow from stage to stage: everything else in kb is a function over them.

Lines and columns count from 1. Paths are POSIX, relative to the root folder of the knowledge base.
All records are frozen; a stage makes new ones and never changes those that it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Literal

# A note is a finding that the card itself speaks of: it is shown, and stops nothing.
Severity = Literal["error", "finding", "warning", "note"]

# What a figure in a results table measures. Only the first three come out of a measurement.
Metric = Literal["params", "macs", "flops", "top1", "top5", "map", "miou", "latency", "size", "other"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file that a user wrote; without a path, it was typed behind `kb`."""

    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """A user's mistake, or a finding about their figures: a value, never an exception.

    `code` is one of `problems.CODES`; `hint` says what to write instead.
    """

    place: Place
    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one note may ask of kb: what lies beyond is reported, not read. Settings can raise them."""

    note: int = 256 * 1024  # bytes of a note
    yaml: int = 64 * 1024  # bytes of its front matter
    depth: int = 32  # mappings and lists in each other in YAML


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation as printed, and the parts that could be read from it ("" or None where not)."""

    text: str
    authors: tuple[str, ...] = ()
    et_al: bool = False
    title: str = ""
    venue: str = ""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a card. `markdown` is its source below the heading, to the letter."""

    id: str  # the schema's id; "" for a heading that the schema does not know
    heading: str  # as the author wrote it, without the marks of a heading
    line: int
    markdown: str
    head: str = ""  # source of the heading's line, to the letter


@dataclass(frozen=True, slots=True)
class Equation:
    """A formula: TeX without its dollar signs."""

    tex: str
    display: bool
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link. `target` is as people write it (`图 1.png`, not `%E5…`); an image's `text` is its alternative."""

    kind: Literal["wiki", "link", "image"]
    target: str
    text: str
    line: int
    column: int


# `[[…]]`; a link to the paper's note or address; its number, or its key as in `[@key]`; its name; a line of the head.
ReferenceKind = Literal["wiki", "link", "citation", "mention", "declared"]


@dataclass(frozen=True, slots=True)
class Reference:
    """That a card names another paper, and in which sentence.

    `target` is the citekey of the card that is named; where there is none yet (`has_card` is false) it is what the
    paper was named by: a citekey, `arXiv:1706.03762`, `doi:10.1109/…`, or words.
    """

    source: str  # citekey of the card that names the other
    lang: str  # of the source
    target: str
    kind: ReferenceKind
    section: str  # anchor of the section; "" for a line of the card's head
    line: int  # of the paragraph or row; of the section's heading for a footnote that is defined elsewhere
    sentence: str  # as plain text
    has_card: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a paragraph's text, as readers see it.

    In a `free` one a name may become a link; in an `opaque` one (code, a formula, an address) nothing is named. A link
    has its kind and target in the first of its pieces; a `[[target]]` without a text of its own has no text.
    """

    text: str
    line: int
    free: bool = False
    opaque: bool = False
    kind: Literal["", "wiki", "link"] = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, a list item, a heading or a table's row of a card, in pieces."""

    section: str  # its anchor
    pieces: tuple[Piece, ...]
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A line of the reference-models section: the paper's label for a call ("" if it gives none)."""

    call: str  # as written; calls.normalise gives the key
    label: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Printed:
    """A figure as a paper prints it: `printed` "4.2", `unit` "M", `value` 4200000.

    `step` is the weight of the last printed digit (100000 for 4.2 M): with rounding, the figure
    accepts half a step either way. `footnotes` are the labels that hang on the cell.
    """

    printed: str
    unit: str
    value: Decimal
    step: Decimal
    line: int
    column: int  # column of the table, from 0: with `line` it names the cell
    footnotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A row of a results table. `call` is in normal form, "" where the row is tied to no model.

    `label` is the row's label as readers see it (markup removed), `metrics` its figures by column name;
    a table with two columns of one metric has keys "params", "params 2", ….
    `footnote_calls` are the code spans found in the footnotes that hang on a cell, by footnote label.
    """

    label: str
    call: str
    line: int
    table: int  # line of the table's header row: rows with the same `table` are judged together
    section: str
    metrics: Mapping[str, Printed]
    footnote_calls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """A code span that starts with `kb= ` or `kb? `: kept by the parser, checked later."""

    source: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Card:
    """One paper's note. `key` in links and file names is `citekey`; identity is citekey and language."""

    citekey: str
    lang: str
    name: str
    kind: str  # the schema's id of the kind; "" where the card names none
    citation: Citation
    tags: tuple[str, ...]
    aliases: tuple[str, ...]
    links: Mapping[str, str]  # arxiv, doi, url, code
    date: str
    updated: str
    status: str  # "" or "draft", …
    publish: bool
    extra: Mapping[str, object]  # unknown front matter and blockquote lines, kept
    path: str
    line: int  # of the card's heading
    end_line: int  # of its last line
    head: str  # source of heading and blockquote, to the letter
    intro: str  # source between blockquote and first section
    sections: tuple[Section, ...]
    equations: tuple[Equation, ...]
    models: tuple[ModelRef, ...]
    results: tuple[ResultRow, ...]
    claims: tuple[Claim, ...]
    definitions: str = ""  # link and footnote definitions of the note that its sections may use
    intro_line: int = 0
    references: tuple[Link, ...] = ()  # links and images in its text, in their order
    prose: tuple[Paragraph, ...] = ()  # its text as it is read, but for the reference models


@dataclass(frozen=True, slots=True)
class Slice:
    """A run of a note's source. The texts of a note's slices, joined, are its file."""

    kind: Literal["preamble", "card", "template", "separator"]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Note:
    """A Markdown file: its slices, the cards read from it, and what is wrong with it."""

    path: str
    slices: tuple[Slice, ...]
    cards: tuple[Card, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Factory:
    """A public function of a reference model file that returns a network, found by reading the source.

    `parameters` maps each argument's name to its default, in signature order, the factory's own first,
    then those of its inputs function; `required` names the ones without a default.
    """

    name: str
    path: str
    line: int
    parameters: Mapping[str, object]
    required: tuple[str, ...] = ()
    factory_parameters: tuple[str, ...] = ()
    inputs: str = ""  # name of the function that makes its inputs
    inputs_parameters: tuple[str, ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one module, or one functional call outside any leaf module, costs."""

    path: str  # module path: "features.3.depthwise"; "" for the model itself
    kind: str  # conv1x1, depthwise, grouped, conv, transposed, linear, matmul, attention, recurrent, …
    calls: int
    input: tuple[int, ...]
    output: tuple[int, ...]
    params: int
    macs: int
    made: str = ""  # the modules on its path, each with the line that makes it: "Block@net.py:12 nn.Conv2d@7"


@dataclass(frozen=True, slots=True)
class KindTotal:
    """Parameters and multiply-adds of all layers of one kind."""

    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """What running one call's model on meta tensors gives: integers, no arithmetic on weights.

    macs are multiply-adds; flops is 2 × macs. Counted for a batch of one unless the inputs say otherwise.
    """

    call: str
    input: str  # "1×3×224×224"; several inputs joined by ", "
    params: int
    weights: int
    biases: int
    normalisation: int  # parameters of normalisation layers, in neither weights nor biases
    buffers: int
    macs: int
    activations: int
    peak_activation_bytes: int
    largest_activation: int
    classifier: str  # path of the last module with weights
    classifier_params: int
    classifier_macs: int
    by_kind: Mapping[str, KindTotal]
    layers: tuple[Layer, ...] = ()  # empty when read from the lock without its layers
    incomplete: tuple[str, ...] = ()  # "operator at layer", for each that could not be counted
    extras: Mapping[str, int] = field(default_factory=dict)  # elements of normalisation, pooling, …: never in macs
    fingerprint: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)  # of installed packages, for package calls

    @property
    def flops(self) -> int:
        """Floating-point operations: two for each multiply-add."""
        return 2 * self.macs

    @property
    def arithmetic_intensity(self) -> float:
        """FLOPs for each byte moved, as if each parameter and each of `activations` moved once, at 32 bits.

        A figure to compare networks by: fused operators move less, and whatever does not fit a cache moves again.
        """
        moved = 4 * (self.params + self.activations)
        return self.flops / moved if moved else 0.0


NUMBERS = tuple(each.name for each in fields(Measurement) if each.type == "int")  # of a measurement, in order

VerdictStatus = Literal["agrees", "agrees_counting", "reproduced", "unexplained", "not_measurable", "unmeasured"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one printed figure compares with what the model gives.

    `measured` is the plain measurement (all parameters; MACs), `counted` the model's count as the figure's column is
    read, which an unexplained figure differs from, `explained` the value that prints as the
    figure, under `conventions` (all that fit the column equally well) or by `by_call`. `low` and `high`
    bound the values that the printed digits accept under the convention used. None where nothing was measured.
    """

    status: VerdictStatus
    metric: str
    printed: Printed
    call: str = ""
    measured: int | None = None
    counted: int | None = None
    explained: int | None = None
    conventions: tuple[str, ...] = ()
    by_call: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    chosen: tuple[str, ...] = ()  # arguments that the row's label does not imply: the card author's choice
    reason: str = ""  # why a figure is not measurable or not measured: an id of the interface texts
