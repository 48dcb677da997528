"""The benchmark, at its smallest: it runs from end to end and writes every figure that is promised."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.rows import IDS, KEYS, Row, read

from benchmarks import page

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.faults
def test_a_small_run_writes_every_row_with_every_key(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--output", str(file)),
            *("--cases", "60", "--bodies", "1", "--calls", "0.02"),
        ],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith(("DATABASE_URL", "VERBUND_"))},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    written: list[dict[str, Any]] = json.loads(file.read_text())
    assert {row["id"] for row in written} == {*IDS, "job"}
    assert all(list(row)[: len(KEYS)] == list(KEYS) for row in written)
    by_id = {(row["id"], row["clients"]): row for row in written}
    for name in IDS[:8]:
        for clients in (1, 4):
            row = by_id[name, clients]
            assert all(row[key] > 0 for key in ("cpu_ms", "p50_ms", "p95_ms", "per_s", "floor_cpu_ms")), row
            assert row["p95_ms"] >= row["p50_ms"]
    assert by_id["new_body", 1]["p50_ms"] > 0
    assert 40 < by_id["web_rss_mb", 4]["value"] < 1000
    assert "posting_batch" in done.stdout
    rows, about = read(file)
    shown = page.figures(rows, about)
    assert shown.count("\n| ") >= len(written)


def test_the_page_keeps_everything_but_its_figures() -> None:
    text = "a\n<!-- figures: bench -->\nold\n<!-- end: bench -->\nb\n"
    assert page.filled(text, "bench", "new") == "a\n<!-- figures: bench -->\nnew\n<!-- end: bench -->\nb\n"
    with pytest.raises(ValueError, match="no markers"):
        page.filled(text, "bench-growth", "new")


def test_the_page_in_the_tree_has_room_for_both_tables() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    for name in ("bench", "bench-growth"):
        assert page.filled(text, name, "x") != text


def test_a_median_that_grew_too_much_is_called_missed() -> None:
    from benchmarks.rows import printed

    grown = Row("read_one_1m", 1, cpu_ms=9.0, p50_ms=16.0, base_p50_ms=10.0, base_cpu_ms=9.0)
    assert "MISSED" in printed([grown])
    grown.p50_ms = 15.0
    assert "kept" in printed([grown])
    assert "MISSED" in printed([Row("list_10k", 1, cpu_ms=10.1)])
    assert "MISSED" in printed([Row("posting", 4, per_s=249.0)])
