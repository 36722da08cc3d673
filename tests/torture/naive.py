"""Writing as it is often done: in place, a new site over the old one. The harness must find this wanting."""

from __future__ import annotations

import os
import shutil

from kb import writing


def _replace(path, data, **_):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _change_together(moves, contents, record=None):
    for old, new in moves:
        old.rename(new)
    for path, content in contents.items():
        _replace(path, writing.as_bytes(content))
    if record:
        record.unlink()


def _create(path, content):
    if path.exists():
        return False
    _replace(path, writing.as_bytes(content))
    return True


def _publish(new, site, *, keep=False):
    for path in sorted(site.rglob("*"), reverse=True) if site.exists() else ():
        path.rmdir() if path.is_dir() else os.remove(path)
    shutil.copytree(new, site, dirs_exist_ok=True)
    if not keep:
        shutil.rmtree(new)


writing._replace = _replace
writing.change_together = _change_together
writing.create = _create
writing.publish = _publish
