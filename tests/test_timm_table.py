"""The comparison with timm's table, on a few rows of it (pytorch-image-models, results/benchmark-infer-amp-nchw-…)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "model,infer_img_size,param_count,infer_gmacs,infer_macts"
ROWS = """
lcnet_035,224,1.64,0.03,1.04
resnet18,224,11.69,1.82,2.48
resnet18,288,11.69,3.01,4.11
convmixer_768_32,224,21.11,19.55,25.95
vit_small_patch16_rope_mixed_224,224,21.99,4.61,12.85
repvgg_a0,224,8.31,1.36,1.79
vit_dwee_patch16_reg1_gap_256,256,13.43,3.83,17.6
ecaresnext50t_32x4d,224,15.41,2.7,10.09
""".strip()


def table(rows: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The comparison of these rows."""
    path = folder / "timm.csv"
    path.write_text(f"{HEADER}\n{rows}\n", encoding="utf-8")
    command = [sys.executable, ROOT / "benchmarks" / "timm_table.py", path, "--jobs", "1"]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_rows_are_explained_by_what_gives_their_figures(tmp_path):
    done = table(ROWS, tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for model, way in {
        "convmixer_768_32": "unseen",
        "vit_small_patch16_rope_mixed_224": "products",
        "repvgg_a0": "joined",
        "vit_dwee_patch16_reg1_gap_256": "unfused",
        "ecaresnext50t_32x4d": "other_call",
    }.items():
        [line] = [line for line in lines if line.strip().startswith(model)]
        assert f"; {way} " in line
    assert [line for line in lines if line.startswith("|")] == [
        "| timm's table, 7 rows | as kb counts | with fvcore's estimates |",
        "|---|---:|---:|",
        "| parameters | 5 (71.4 %) | 5 (71.4 %) |",
        "| multiply-adds | 1 (14.3 %) | 3 (42.9 %) |",
        "| activations | 2 (28.6 %) | 2 (28.6 %) |",
        "| all three, as they are | 1 (14.3 %) |  |",
        "| all three, with what fvcore estimates |  | 2 (28.6 %) |",
        "| all three, without what fvcore does not see |  | 3 (42.9 %) |",
        "| all three, with rotary frequencies as matrix products |  | 4 (57.1 %) |",
        "| all three, of the network with joined branches |  | 5 (71.4 %) |",
        "| all three, of the network with attention written out |  | 6 (85.7 %) |",
        "| all three, of the network as it was then |  | 7 (100.0 %) |",
    ]


def test_a_row_that_nothing_gives_is_named(tmp_path):
    done = table("resnet18,224,11.69,1.83,2.48", tmp_path)
    assert done.returncode == 1
    first, second = done.stdout.splitlines()[:2]
    assert first == "1 row: NOT EXPLAINED"
    assert second.startswith("  resnet18: printed 11.69 1.83 2.48; plain 11.690 1.814 2.485; extras 11.690 1.819 2.485")
