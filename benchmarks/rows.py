"""The figures of a run: one row for each call and number of clients, as JSON and as a table."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

IDS: Final = (
    *("submit", "upload_found", "list_10k", "read_one", "search_10k"),
    *("letter", "posting", "posting_batch", "new_body", "web_rss_mb"),
    *("charge_run", "carrier_map", "year_view", "body_ready"),
)
KEYS: Final = ("id", "cpu_ms", "p50_ms", "p95_ms", "per_s", "floor_cpu_ms", "clients")


@dataclass
class Row:
    """One measurement. Times in milliseconds; None where a figure makes no sense, `value` for what is no call.

    `parts` splits `cpu_ms` by process: web, worker, postgres, service (a process that calls a service itself).
    """

    id: str
    clients: int
    cpu_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    per_s: float | None = None
    floor_cpu_ms: float | None = None
    value: float | None = None
    base_p50_ms: float | None = None  # growth: the median at 10,000 cases and six bodies
    base_cpu_ms: float | None = None
    pace_ms: float | None = None  # growth: what the same work took beside this measurement (`pace.py`)
    base_pace_ms: float | None = None
    calls: int = 0
    parts: dict[str, float] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """The row as JSON, in the order of `KEYS`; figures rounded to what they are good for."""
        given = asdict(self)
        rest = [key for key in given if key not in KEYS and given[key] not in (None, 0, {})]
        return {key: _rounded(given[key]) for key in (*KEYS, *rest)}

    @property
    def ratio(self) -> float | None:
        """How much the median has grown (growth only), with the machine as fast as beside the base."""
        if self.p50_ms is None or not self.base_p50_ms:
            return None
        return self.p50_ms / self.base_p50_ms / self._slower

    @property
    def cpu_ratio(self) -> float | None:
        """How much the processor time has grown (growth only)."""
        if self.cpu_ms is None or not self.base_cpu_ms:
            return None
        return self.cpu_ms / self.base_cpu_ms / self._slower

    @property
    def _slower(self) -> float:
        """How much more time the machine took for the same work than beside the base."""
        return self.pace_ms / self.base_pace_ms if self.pace_ms and self.base_pace_ms else 1.0


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3) if value < 100 else round(value, 1)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Target:
    """A target (Zielwert): `key` of a row is at most (or, for `per_s`, at least) `limit` with so many clients."""

    id: str
    key: str
    limit: float
    clients: int | None = None

    def is_met(self, row: Row) -> bool | None:
        """Whether the row keeps it; None if it says nothing about this row."""
        found = getattr(row, self.key)
        if row.id != self.id or found is None or (self.clients is not None and row.clients != self.clients):
            return None
        return bool(found >= self.limit if self.key == "per_s" else found <= self.limit)

    def __str__(self) -> str:
        sign, unit = ("≥", "/s") if self.key == "per_s" else ("≤", "ms" if self.key.endswith("_ms") else "MB")
        return f"{self.key} {sign} {self.limit:g} {unit}"


TARGETS: Final = (
    Target("submit", "cpu_ms", 10),
    Target("submit", "per_s", 150, clients=4),
    Target("upload_found", "p95_ms", 200, clients=4),
    Target("upload_found", "cpu_ms", 50, clients=4),
    Target("list_10k", "cpu_ms", 10),
    Target("read_one", "cpu_ms", 10),
    Target("search_10k", "cpu_ms", 20),
    Target("letter", "cpu_ms", 30),
    Target("posting", "per_s", 250, clients=4),
    Target("posting_batch", "per_s", 1000),
    Target("new_body", "p50_ms", 3000),
    Target("web_rss_mb", "value", 250),
    Target("charge_run", "p50_ms", 10_000),
    Target("charge_run", "value", 300),
    Target("carrier_map", "cpu_ms", 20),
    Target("year_view", "cpu_ms", 20),
    Target("body_ready", "p95_ms", 3000),
    Target("list_10k_1m", "cpu_ms", 10),
    Target("trial_balance_1m", "cpu_ms", 20),
    Target("web_rss_mb_200b", "value", 250),
)
RATIO: Final = 1.5  # a median may grow by so much


def table(rows: Sequence[Row]) -> list[list[str]]:
    """The rows as text, with their heading."""
    grows = any(row.base_p50_ms for row in rows)
    heading = ["id", "clients", "CPU ms", "p50 ms", "p95 ms", "per s", "floor CPU ms", "CPU / floor"]
    heading += ["pace ms", "p50 / base", "CPU / base"] if grows else []
    lines = [[*heading, "value", "target"]]
    for row in rows:
        over = row.cpu_ms / row.floor_cpu_ms if row.cpu_ms and row.floor_cpu_ms else None
        figures = [row.cpu_ms, row.p50_ms, row.p95_ms, row.per_s, row.floor_cpu_ms, over]
        figures += [row.pace_ms, row.ratio, row.cpu_ratio] if grows else []
        lines.append([row.id, str(row.clients), *map(_shown, figures), _shown(row.value), _judged(row)])
    return lines


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _judged(row: Row) -> str:
    said = []
    for target in TARGETS:
        met = target.is_met(row)
        if met is not None:
            said.append(f"{target}: {'kept' if met else 'MISSED'}")
    if row.ratio is not None:
        said.append(f"p50 / base ≤ {RATIO}: {'kept' if row.ratio <= RATIO else 'MISSED'}")
    return "; ".join(said)


def printed(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    lines = table(rows)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    out = []
    for line in lines:
        cells = [c.ljust(w) if n in (0, len(line) - 1) else c.rjust(w) for n, (c, w) in enumerate(zip(line, widths))]
        out.append("  ".join(cells).rstrip())
    return "\n".join([out[0], "-" * len(out[0]), *out[1:]])


def write(file: Path, rows: Sequence[Row], about: dict[str, Any]) -> None:
    """Write the rows into `file`, and beside it what they were measured on (`<name>.about.json`)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([row.values() for row in rows], indent=1, ensure_ascii=False) + "\n")
    about_file(file).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")


def read(file: Path) -> tuple[list[Row], dict[str, Any]]:
    """The rows of a file and what they were measured on.

    Raises:
        FileNotFoundError
    """
    known = set(Row.__dataclass_fields__)
    found = [{k: v for k, v in row.items() if k in known} for row in json.loads(file.read_text())]
    return [Row(**row) for row in found], json.loads(about_file(file).read_text())


def about_file(file: Path) -> Path:
    """Where it stands on what the rows of `file` were measured."""
    return file.with_name(f"{file.stem}.about.json")


def surroundings(root: Path) -> dict[str, Any]:
    """Machine, commit and load at this moment."""
    return {
        "machine": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": _git(root, "rev-parse", "--short=12", "HEAD"),
        "changed_since_commit": bool(_git(root, "status", "--porcelain", "--", "src", "pyproject.toml")),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()
