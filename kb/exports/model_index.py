"""A model index (`model-index.yml`) as Papers with Code reads it, and `kb audit`: what papers print of their models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from kb.bibliography.writing import addresses
from kb.exports.published import Published
from kb.records import Printed, ResultRow

_METADATA = {"params": "Parameters", "macs": "MACs", "flops": "FLOPs"}
_METRICS = {"top1": "Top 1 Accuracy", "top5": "Top 5 Accuracy", "map": "mAP", "miou": "mIoU", "latency": "Latency"}
_NOT_IN_YAML = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def models(each: Published) -> str:
    """The models of a card's results: a row of a table each, its figures as printed."""
    return "".join(line for row in each.card.results for line in _model(each, row))


def _model(each: Published, row: ResultRow) -> Iterator[str]:
    metadata, metrics = _figures(row, _METADATA), _figures(row, _METRICS)
    if not metadata and not metrics:
        return
    cited, address = each.card.citation, next(iter(addresses(each.card).values()), "")
    yield f"  - Name: {_text(row.label or row.call or each.card.name)}\n"
    if row.call:
        yield f"    Call: {_text(row.call)}\n"
    yield f"    In Collection: {_text(each.card.citekey)}\n"
    if metadata:
        yield f"    Metadata: {_mapping(metadata)}\n"
    if metrics:
        yield f"    Results: [{{Metrics: {_mapping(metrics)}}}]\n"
    yield f"    Paper: {_mapping({'Title': cited.title or cited.text, 'URL': address})}\n"


def _figures(row: ResultRow, names: Mapping[str, str]) -> dict[str, str]:
    """The figures of a row under the names that indexes have for them; of two of a metric, the first."""
    return {names[metric]: _printed(figure) for metric, figure in row.metrics.items() if metric in names}


def _printed(figure: Printed) -> str:
    return f"{figure.printed} {figure.unit}".strip()


def _mapping(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {_text(value)}" for name, value in values.items() if value) + "}"


def _text(text: str) -> str:
    """A text in double quotes, which JSON and YAML read alike."""
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
