"""A published site holds nothing of the machine that built it, and no file that is no card, model or image of a card.

Every byte is looked at, also those inside compressed files and the database. What cards themselves keep private is
tested in tests/test_publishing.py.
"""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, run_kb

CANARIES = yaml.safe_load((Path(__file__).parent / "canaries.yml").read_text(encoding="utf-8"))
FILES = [path for paths in CANARIES.values() for path in paths]
PIXEL = (Path(__file__).parent.parent / "cases" / "pages" / "languages" / "notes" / "net.assets" / "b.png").read_bytes()
BIBLIOGRAPHY = """@inproceedings{Simonyan2015ICLR,
  title = {Very Deep Convolutional Networks for Large-Scale Image Recognition},
  author = {Simonyan, Karen and Zisserman, Andrew},
  booktitle = {ICLR},
  year = {2015},
  file = {:/home/canary-user/CANARY.pdf:PDF},
  annote = {CANARY: what I think of it},
  note = {CANARY},
  abstract = {CANARY},
  bdsk-file-1 = {CANARY},
  timestamp = {CANARY},
  owner = {CANARY}
}
"""
MACHINE = {
    **dict.fromkeys(("USER", "LOGNAME", "USERNAME"), "canary-user"),
    **dict.fromkeys(("HOSTNAME", "COMPUTERNAME", "SSH_CONNECTION"), "canary-host"),
    **dict.fromkeys(("EMAIL", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "canary@example.org"),
    **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Canary Author"),
    **dict.fromkeys(("SECRET_TOKEN", "GITHUB_TOKEN"), "canary-token"),
    "HOME": "/home/canary-user",
}


@pytest.fixture(scope="module")
def base(starter_template, tmp_path_factory) -> Path:
    """A knowledge base in a repository, with all that people leave lying about, built."""
    root = tmp_path_factory.mktemp("canary-place") / "canary-folder"
    shutil.copytree(starter_template, root)
    note = root / "notes" / "Simonyan2015ICLR.md"
    text = note.read_text(encoding="utf-8")
    note.write_text(f"{text}\n#### Figures\n\n![the network](shown.png) [a file](notes.txt)\n", encoding="utf-8")
    (root / "notes" / "shown.png").write_bytes(PIXEL)
    (root / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        ["commit", "--quiet", "--message", "CANARY"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True, env={**os.environ, **MACHINE})
    (root.parent / "commit").write_bytes((root / ".git/refs/heads/main").read_bytes())
    for path in FILES:
        lay(root / path)
    done = run_kb("build", "--locked", cwd=root, env=MACHINE)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def lay(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((PIXEL if path.suffix in (".png", ".jpg", ".webp") else b"") + b"CANARY <!-- CANARY -->\n")


@pytest.fixture(scope="module")
def bytes_of_site(base) -> dict[str, bytes]:
    """The bytes of all files of the site, and what is in those that are compressed."""
    found = {path.relative_to(base / "site").as_posix(): path for path in (base / "site").rglob("*") if path.is_file()}
    data = {name: path.read_bytes() for name, path in found.items()}
    inside = {f"{name} unpacked": gzip.decompress(data[name]) for name in data if name.endswith(".gz")}
    tables = {f"{name} dumped": dump(found[name]) for name in data if name.endswith(".sqlite")}
    return {**data, **inside, **tables}


def dump(path: Path) -> bytes:
    with sqlite3.connect(path) as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    return text.encode()


def test_the_canaries_are_many():
    print(f"\n{len(FILES)} files of {len(CANARIES)} sorts")
    assert len(FILES) >= 80
    assert len(set(FILES)) == len(FILES)


def test_the_card_is_there_and_its_image(bytes_of_site):
    """Else nothing would be found in it."""
    assert b"Very Deep Convolutional" in bytes_of_site["cards/Simonyan2015ICLR.html"]
    assert bytes_of_site["cards/shown.png"] == PIXEL
    assert "sitemap.xml.gz unpacked" in bytes_of_site
    assert "data/v1/kb.sqlite dumped" in bytes_of_site


def test_no_canary_is_in_any_byte(bytes_of_site):
    for word in (b"canary", "CANARY".encode("utf-16-le"), b"Q0FOQVJZ"):  # also as UTF-16 and in Base64
        holding = [name for name, data in bytes_of_site.items() if word.lower() in data.lower()]
        assert holding == [], word


def test_no_file_of_the_site_has_the_name_of_one_that_is_none_of_it(bytes_of_site):
    names = {Path(path).name.casefold() for path in FILES} - {
        "index.html",
        "index.js",
        "picture.png",
        "requirements.txt",
    }
    assert [path for path in bytes_of_site if Path(path).name.casefold() in names] == []


def test_nothing_tells_of_the_machine(base, bytes_of_site):
    """Paths, users, the host, the program's own place; nor the commit."""
    commit = (base.parent / "commit").read_text().strip()
    places = {str(base), str(base.parent), str(ROOT), sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)}
    folders = {f"{folder}{os.sep}" for folder in (Path.home(), Path.home().parent, tempfile.gettempdir())}
    words = {*places, *folders, socket.gethostname(), commit, commit[:10]}
    for word in filter(lambda each: len(each) > 3, words):
        assert [name for name, data in bytes_of_site.items() if word.encode() in data] == [], word


def test_nothing_tells_of_the_time(base, bytes_of_site):
    """Neither the day, in any usual form, nor the second that an archive notes down."""
    now = datetime.now(UTC)
    for day in (now, now - timedelta(days=1), now + timedelta(days=1)):
        for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%b %d, %Y", "%d.%m.%Y"):
            word = day.strftime(form).encode()
            assert [name for name, data in bytes_of_site.items() if word in data] == [], word
    for name, data in bytes_of_site.items():
        assert not name.endswith(".gz") or data[4:8] in (b"\0\0\0\0", (315532800).to_bytes(4, "little")), name
    second = str(int((base / "site" / "index.html").stat().st_mtime)).encode()
    assert [name for name, data in bytes_of_site.items() if second in data] == []
