"""What the walk found out: one line per step, with time and evidence, as it happens; one JSON object at the end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from verbund.commands.texts import _

from .visitor import Untrue


@dataclass
class Step:
    """One step of the walk; `evidence` is what was found, under short names."""

    name: str
    seconds: float = 0.0
    ok: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    def found(self, **evidence: Any) -> None:
        """Note evidence."""
        self.evidence.update(evidence)


@dataclass
class Report:
    """The steps so far."""

    quiet: bool = False
    steps: list[Step] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step, print its line; whatever goes wrong in it is noted and goes on to the caller."""
        step = Step(name)
        self.steps.append(step)
        begun = time.monotonic()
        try:
            yield step
            step.ok = True
        except Exception as error:
            step.problem = f"{type(error).__name__}: {error}"
            raise
        finally:
            step.seconds = time.monotonic() - begun
            self._print(step)

    @property
    def ok(self) -> bool:
        return bool(self.steps) and all(step.ok for step in self.steps)

    def values(self) -> dict[str, Any]:
        """Everything as one JSON object."""
        return {
            "ok": self.ok,
            "seconds": round(time.monotonic() - self.begun, 2),
            "steps": [
                {
                    "name": step.name,
                    "ok": step.ok,
                    "seconds": round(step.seconds, 3),
                    "evidence": step.evidence,
                    **({"problem": step.problem} if step.problem else {}),
                }
                for step in self.steps
            ],
        }

    def _print(self, step: Step) -> None:
        if self.quiet:
            return
        mark = "ok " if step.ok else "NO "
        print(f"{mark}{step.seconds:7.2f} s  {step.name}", flush=True)
        for name, value in step.evidence.items():
            print(f"               {name}: {value}", flush=True)
        if step.problem:
            print(f"               {step.problem}", file=sys.stderr, flush=True)


def true(condition: object, message: str) -> None:
    """Check a fact.

    Raises:
        Untrue: with the message, when it is not so.
    """
    if not condition:
        raise Untrue(message)


def equal(what: str, found: object, expected: object) -> None:
    """Check that two values are the same.

    Raises:
        Untrue
    """
    if found != expected:
        raise Untrue(
            _("{what}: found {found!r}, expected {expected!r}").format(what=what, found=found, expected=expected)
        )
