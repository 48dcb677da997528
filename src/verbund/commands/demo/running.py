"""Founding the bodies one after the other, as the owner, while those founded are loaded in processes of their own."""

import os
import queue
import subprocess
import sys
import threading
from typing import Final

from verbund.commands import installation
from verbund.commands.texts import _

from .arriving import work
from .facts import DemoBody, bodies, schemas

_WORDS: Final = {
    "people": _("people"),
    "books": _("books of two years"),
    "applications": _("applications"),
    "cases": _("cases and documents"),
    "history": _("history of the alliance"),
    "costs": _("cost of two years"),
}


def load_all() -> bool:
    """Load what is not there yet; False when nothing was left to do. The process is the owner, after `verbund setup`.

    Raises:
        installation.Unready: the loading failed, or an earlier one was cut off.
    """
    from verbund.platform.tenancy.models import Body

    from .loading import HalfLoaded, is_loaded, processes

    wanted = [*bodies()[1:], bodies()[0]]  # the alliance last: its list of members names bodies that exist
    there = set(Body.objects.values_list("schema_name", flat=True))
    strangers = there - schemas()
    if strangers:
        raise installation.Unready(
            _(
                "This installation has bodies of its own ({names}). The demo needs an empty one: set VERBUND_VAR."
            ).format(names=", ".join(sorted(strangers)))
        )
    try:
        missing = [body for body in wanted if body.schema not in there or not is_loaded(body.schema)]
    except HalfLoaded as half:
        raise installation.Unready(
            _("An earlier loading of {schema} was cut off. Run `verbund demo --reset`.").format(schema=half)
        ) from half
    if not missing:
        return False
    _load(missing, processes())
    if missing[-1].is_alliance:
        print("  " + _("the worker sets the candidate up"), flush=True)
        work()
    return True


def _load(missing: list[DemoBody], at_a_time: int) -> None:
    from .founding import found

    waiting: queue.Queue[DemoBody | None] = queue.Queue()
    loaders = [_Loader(waiting) for _number in range(min(at_a_time, len(missing)))]
    try:
        for loader in loaders:
            loader.start()
        members = [body for body in missing if not body.is_alliance]
        for body in members:
            found(body)
            waiting.put(body)
        for body in missing[len(members) :]:  # the alliance, whose list of members names the others
            found(body)
            waiting.put(body)
        for _loader in loaders:
            waiting.put(None)
        for loader in loaders:
            loader.join()
    except BaseException:
        for loader in loaders:
            loader.end()
        raise
    failed = [loader for loader in loaders if loader.failed]
    if failed:
        raise installation.Unready(
            _("Loading {name} failed:\n{lines}").format(name=failed[0].name, lines="\n".join(failed[0].lines[-15:]))
        )


class _Loader(threading.Thread):
    """Hands one body after the other to a process that loads them, and tells how far it is."""

    def __init__(self, waiting: "queue.Queue[DemoBody | None]") -> None:
        super().__init__(daemon=True)
        self.waiting = waiting
        self.lines: list[str] = []
        self.failed = False
        environment = {k: v for k, v in os.environ.items() if k != "VERBUND_AS_OWNER"}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "verbund.commands.cli", "demo", "--load"],
            env={**environment, "VERBUND_PARENT": str(os.getpid())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def run(self) -> None:
        assert self.process.stdin is not None
        while (body := self.waiting.get()) is not None:
            self.name = body.name
            try:
                self.process.stdin.write(f"{body.schema}\n")
                self.process.stdin.flush()
            except OSError:
                self.failed = True
            if self.failed or not self._watch(body):
                self.failed = True
                self.end()
                return
        self.process.stdin.close()
        self.failed = self.process.wait() != 0

    def _watch(self, body: DemoBody) -> bool:
        """Tell the progress of one body; False when the process ended before it was done."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            word, _space, rest = line.strip().partition(" ")
            if word in _WORDS:
                print(f"  {body.name:<44} {_WORDS[word]} ({rest} s)", flush=True)
            elif word == "done":
                print(f"  {body.name:<44} {rest}".rstrip(), flush=True)
                return True
        return False

    def end(self) -> None:
        """Stop the process."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
