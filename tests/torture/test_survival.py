"""Whatever cuts kb off - `kill -9`, a full disk, no right to write - all is as it was, or as it is to be.

Commands are run until they change a file for the n-th time, and then killed or refused. Afterwards the site must be the
old one or the new one, every note and every file of the lock what it was or what it is to be, byte for byte; and the
same command once more must come to what an undisturbed one comes to, with nothing left over. A reader would lose a page
otherwise, an author a note. With `--long` at more steps: `make torture`.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import trees
from conftest import run_kb
from survival import Driver, Fault, Scenario, failures, kills, paths

PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                      "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082")  # fmt: skip
CARD = """### {name}: {key}
> architecture
> {author} A., et al. {name}, CVPR 2020

#### Problem
{text}

#### Method
$x^2$, `code()`, and [[{other}]].

#### Experiments
| Model | Params |
|---|---|
| {name} | 1.5 M |
"""
UNTIDY = "\n\n#### Conclusion   \n- one\n   - two   \n\n\n\n"
BUILD = [sys.executable, "-m", "kb", "build", "--locked"]
COUNTED: Counter[str] = Counter()
STEPS = {  # kill points and failures of each scenario: in the short form, in the long one
    "a first build": ((2, 1), (20, 6)),
    "a build over a site": ((1, 1), (6, 2)),
    "a build after a change": ((2, 1), (40, 14)),
    "a build in two processes": ((1, 1), (12, 6)),
    "a build that renames the site twice": ((2, 1), (16, 4)),
    "entering measurements": ((5, 2), (40, 20)),
    "kb fix": ((5, 2), (40, 20)),
    "kb fix --rename": ((6, 2), (40, 20)),
    "kb import": ((5, 2), (40, 20)),
    "kb new": ((4, 2), (10, 6)),
    "kb init": ((4, 3), (30, 15)),
}


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


@pytest.fixture(scope="module")
def plain(starter_template, tmp_path_factory) -> Path:
    """A small knowledge base that has never been built."""
    root = Path(shutil.copytree(starter_template, tmp_path_factory.mktemp("survival") / "plain"))
    text = "![a picture](Some2020CVPR/pixel.png) Text."
    for author, name, other in (("Some", "Net", "Other2020CVPR"), ("Other", "Former", "Some2020CVPR")):
        note = CARD.format(name=name, key=f"{author}2020CVPR", author=author, other=other, text=text)
        (root / "notes" / f"{author}2020CVPR.md").write_text(note, encoding="utf-8")
    (root / "notes" / "Some2020CVPR").mkdir()
    (root / "notes" / "Some2020CVPR" / "pixel.png").write_bytes(PIXEL)
    return root


@pytest.fixture(scope="module")
def built(plain) -> Path:
    """The same, with its site, and a note that was changed since."""
    root = Path(shutil.copytree(plain, plain.with_name("built")))
    done = run_kb("build", "--locked", cwd=root)
    assert done.returncode == 0, done.stderr
    change(root, 1)
    return root


def change(root: Path, number: int) -> None:
    note = root / "notes" / "Some2020CVPR.md"
    text = note.read_text(encoding="utf-8")
    note.write_text(re.sub(r"Text\d*\.", f"Text{number}.", text), encoding="utf-8")


def scenario(name: str, driver: Driver, plain: Path, built: Path, folder: Path) -> Scenario:
    """A scenario of STEPS, in a folder of its own."""
    build = ("build", "--locked")
    if name == "a first build":
        return Scenario.of(driver, copied(plain, folder), name, build)
    if name == "a build over a site":
        root = copied(built, folder)
        shutil.rmtree(root / "build")
        return Scenario.of(driver, root, name, build)
    if name == "kb init":
        root = folder / "old"
        root.mkdir()
        return Scenario.of(driver, root, name, ("init", ".", "--lang", "en"))
    if name.startswith("a build"):
        options = {"workers": "two processes" in name, "no_exchange": "twice" in name}
        return Scenario.of(driver, copied(built, folder), name, build, **options)
    root = copied(plain, folder)
    if name == "entering measurements":
        return Scenario.of(driver, root, name, ("enter",))
    if name == "kb new":
        return Scenario.of(driver, root, name, ("new", "Third", "Third2020CVPR"), again=(0, 1))
    if name == "kb fix --rename":
        rename = ("fix", "--rename", "Some2020CVPR", "Someone2020CVPR")
        return Scenario.of(driver, root, name, rename, again=(0, 1))
    if name == "kb fix":
        for note in (root / "notes").glob("*.md"):
            note.write_text(note.read_text(encoding="utf-8") + UNTIDY, encoding="utf-8")
        return Scenario.of(driver, root, name, ("fix",))
    return Scenario.of(driver, root, name, ("import", str(notes_to_import(folder)), "--overwrite"))


def copied(root: Path, folder: Path) -> Path:
    return Path(shutil.copytree(root, folder / "old"))


def notes_to_import(folder: Path) -> Path:
    """Three notes with a picture; one of them is there already, and reads otherwise."""
    source = folder / "source"
    source.mkdir()
    (source / "pixel.png").write_bytes(PIXEL)
    for author in ("Some", "Fourth", "Fifth"):
        note = CARD.format(name="Net", key=f"{author}2020CVPR", author=author, other="X", text="![p](pixel.png) New.")
        (source / f"{author}.md").write_text(note.replace("[[X]]", "no link"), encoding="utf-8")
    return source


@pytest.mark.parametrize("name", STEPS)
def test_whatever_cuts_it_off_nothing_is_lost(name, driver, plain, built, tmp_path, long):
    found = scenario(name, driver, plain, built, tmp_path)
    most_kills, most_failures = STEPS[name][long]
    harm = survived(found, driver, kills(found, most_kills), "kill points")
    harm += survived(found, driver, failures(found, most_failures), "failures")
    assert not harm, "\n".join(harm[:20])


def survived(found: Scenario, driver: Driver, faults: Iterable[Fault], kind: str) -> list[str]:
    """What was lost to any of the faults; those that came about are counted."""
    lost: list[str] = []
    for fault in faults:
        fired, harm = found.cut_off(driver, fault)
        COUNTED[kind] += fired
        lost += (f"{fault} at {found.steps[fault['at'] - 1]}: {each}" for each in harm)
    return lost


def test_careless_writing_does_not_pass(plain, built, tmp_path):
    """Else the harness would see nothing."""
    driver = Driver("naive")
    for name in ("a build after a change", "entering measurements", "kb fix", "kb fix --rename", "kb import", "kb new"):
        (tmp_path / name).mkdir()
        found = scenario(name, driver, plain, built, tmp_path / name)
        assert any(found.cut_off(driver, fault)[1] for fault in kills(found, 12)), name
    driver.close()


@pytest.mark.parametrize("kind", ["kill", "memory"])
def test_a_worker_that_dies_ends_the_build_and_leaves_the_site(kind, driver, built, tmp_path, long):
    found = scenario("a build in two processes", driver, built, built, tmp_path)
    of_workers = sum(each[2] for each in found.steps)
    assert of_workers > 5
    places = range(1, len(found.steps), len(found.steps) // (10 if long else 2))
    harm = survived(found, driver, ({"kind": kind, "at": at, "worker": True} for at in places), "workers that died")
    assert not harm, "\n".join(harm[:20])


def test_what_a_worker_died_of_is_said(driver, built, tmp_path):
    root = copied(built, tmp_path)
    before = trees.tree(root)
    done = driver.run(root, ["build", "--locked"], workers=True, fault={"kind": "kill", "at": 1, "worker": True})
    assert (done["status"], done["fired"]) == (4, 1)
    assert "SIGKILL" in done["err"]
    assert len(done["err"].splitlines()) == 1
    assert {path: data for path, data in trees.tree(root).items() if path.startswith("site/")} == {
        path: data for path, data in before.items() if path.startswith("site/")
    }


# ------------------------------------------------------------------------------------------------- with real processes


def test_a_file_that_may_grow_no_further_is_not_left_half_written(driver, built, tmp_path, long):
    """The system itself breaks off in the middle of a file, as it does on a full disk."""
    found = scenario("a build after a change", driver, built, built, tmp_path)
    sizes = sorted({len(data) for data in found.new.values() if len(data) > 2000})  # what is told has to fit, too
    for largest in sizes[:: len(sizes) // (10 if long else 2)]:
        root = found.folder.with_name("limited")
        shutil.copytree(found.folder, root)
        done = driver.run(root, found.do, largest=largest - 1)
        COUNTED["failures"] += done["status"] == 4
        assert done["status"] in (0, 4), done
        assert [*found.harm(root), *("Traceback" for _ in re.findall("Traceback", done["err"]))] == []
        assert driver.run(root, found.do)["status"] == 0
        assert list(found.left_over(root)) == []
        shutil.rmtree(root)


def test_on_a_disk_that_is_full_the_old_site_stays(built, tmp_path, long):
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum((built / path).stat().st_size + 4096 for path in paths(built)) // 1024 + 4096
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={2 * size}k", "none", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk of its own can be made here: {mounted.stderr.decode().strip()}")
    try:
        root = Path(shutil.copytree(built, disk / "base"))
        full(root, disk, long)
    finally:
        subprocess.run(["umount", disk], check=True)


def full(root: Path, disk: Path, long: bool) -> None:
    """Build anew in more and more room; then with enough."""
    old, filler = trees.tree(root), disk / "filler"
    for room in [0, 64, 256, 512, 1024, 2048, 3072, 4096, 5120, 6144] if long else [0, 4096]:  # KiB
        filler.unlink(missing_ok=True)
        shutil.rmtree(root / "build")
        free = shutil.disk_usage(disk).free
        filler.write_bytes(b"\0" * max(free - room * 1024, 0))
        done = run_kb("build", "--locked", cwd=root)
        assert done.returncode == 4, (room, done.stderr)
        assert re.fullmatch(r"kb: /.*: No space left on device: make room .*\n", done.stderr), done.stderr
        assert sites(trees.tree(root)) == sites(old)
        COUNTED["failures"] += 1
    filler.unlink()
    assert run_kb("build", "--locked", cwd=root).returncode == 0
    assert sites(trees.tree(root)) != sites(old)


def sites(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if path.startswith("site/")}


def test_killed_at_any_moment_it_recovers(built, tmp_path, long):
    root = copied(built, tmp_path)
    old, started = trees.tree(root), time.monotonic()
    trees.clean(root, tmp_path / "after")
    new, chance = trees.tree(tmp_path / "after"), random.Random(6)
    most = 2 * (time.monotonic() - started)
    for _ in range(25 if long else 3):
        process = subprocess.Popen(BUILD, cwd=root, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.2, most))
        process.send_signal(signal.SIGKILL)
        COUNTED["kill points"] += process.wait() == -signal.SIGKILL
        assert sites(trees.tree(root)) in (sites(old), sites(new))
    assert run_kb("build", "--locked", cwd=root).returncode == 0
    assert trees.tree(root) == new


def test_two_builds_at_once_let_readers_see_whole_sites_only(built, tmp_path, long):
    root = copied(built, tmp_path)
    seen: set[str] = set()
    for number in range(2, 10 if long else 4):
        change(root, number)
        builds = [subprocess.Popen(BUILD, cwd=root, stdout=subprocess.DEVNULL) for _ in range(2)]
        while any(build.poll() is None for build in builds):
            seen |= {*read(root / "site")}
        assert [build.returncode for build in builds] == [0, 0]
    assert {f"Text{number}." for number in range(2, 4)} <= seen | {*read(root / "site")}


def read(site: Path) -> Iterator[str]:
    """What a reader sees of a card on two pages; nothing where the site was replaced between the two looks."""
    front, page = "data/v1/cards.json", "cards/Some2020CVPR.html"
    before, text, after = ((site / path).read_text(encoding="utf-8") for path in (front, page, front))
    if before == after:
        (said,) = {*re.findall(r"Text\d*\.", text)}
        assert said in before, "two pages of one site are of different builds"
        yield said


@pytest.mark.parametrize("command", [["parse", "notes/Some2020CVPR.md"], ["export", "json"], ["check"]])
def test_an_output_that_takes_no_more_is_told_in_a_line(command, built):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "w") as nowhere:
        done = subprocess.run(
            [sys.executable, "-m", "kb", *command], cwd=built, stdout=nowhere, stderr=subprocess.PIPE, text=True
        )
    if command != ["check"]:
        assert done.returncode == 4
        assert done.stderr.startswith("kb: No space left on device")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_build_copies_nothing_that_has_not_changed(plain, tmp_path):
    """Else a site of thousands of pages is copied for one word."""
    root = copied(plain, tmp_path)
    assert run_kb("build", "--locked", cwd=root).returncode == 0
    before = inodes(root / "site")
    old = sites(trees.tree(root))
    change(root, 2)
    assert run_kb("build", "--locked", cwd=root).returncode == 0
    new = sites(trees.tree(root))
    same = [path for path in new if new[path] == old.get(path)]
    assert len(same) > len(new) / 2
    assert {path: inodes(root / "site")[path] for path in same} == {path: before[path] for path in same}


def inodes(site: Path) -> dict[str, int]:
    return {f"site/{path}": (site / path).stat().st_ino for path in paths(site)}


def test_measuring_that_is_killed_leaves_a_lock_that_can_be_read(driver, plain, tmp_path, long):
    """The models are really run: each kill costs the time that measuring takes."""
    root = copied(plain, tmp_path)
    with (root / "reference_models" / "vgg.py").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")
    found = Scenario.of(driver, root, "kb measure", ("measure",))
    harm = survived(found, driver, kills(found, 10 if long else 1), "kill points")
    assert not harm, "\n".join(harm[:20])


def test_there_were_as_many_as_promised(long, capsys):
    """Issue 6 asks for 200 kill points and 50 failures; this runs last."""
    with capsys.disabled():
        print(f"\nsurvived: {', '.join(f'{number} {kind}' for kind, number in COUNTED.items())}")
    if not long:
        pytest.skip("the long form is: make torture")
    assert COUNTED["kill points"] >= 200
    assert COUNTED["failures"] >= 50
