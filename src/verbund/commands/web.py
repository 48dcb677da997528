"""`verbund web`: granian with some processes of some threads each.

A thread works on one request and holds one database connection meanwhile, so the pool of a process is as large as its
threads, and two more.
"""

import argparse
import gc
import multiprocessing
import os
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from . import installation, metrics
from .texts import _

THREADS = 8
# A process answers no new connection while it has so many: a browser that has got its page keeps its connection for
# half a minute and costs a few kilobytes. How many requests are worked on at a time is what the threads are for.
CONNECTIONS: Final = 2048
_OTHER_FILES: Final = 256  # pool, log, files that are read and written
_YOUNG: Final = 5000  # objects; a page makes some thousands and leaves few


def main(argv: Sequence[str]) -> int:
    """`verbund web [--host H] [--port P] [--workers N] [--threads N]`."""
    parser = argparse.ArgumentParser(prog="verbund web", description=_("Run the web server."))
    add_arguments(parser)
    parser.add_argument("--metrics-port", type=int, default=metrics.default_port(9109), help=_("0: none"))
    chosen = parser.parse_args(argv)
    installation.surroundings()
    require_setup()
    os.environ.setdefault("VERBUND_POOL_MAX", str(chosen.threads + 2))
    metrics.prepare("web")
    metrics.serve(chosen.metrics_port)
    # Two heaps instead of eight per core: with many threads glibc's would never give back what a large letter took.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # A fresh interpreter per process: nothing of this one (metrics thread, handle of the embedded server) leaks into
    # it.
    multiprocessing.set_start_method("spawn")
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        "verbund.config.wsgi:application",
        address=chosen.host,
        port=chosen.port,
        interface=Interfaces.WSGI,
        workers=chosen.workers,
        blocking_threads=chosen.threads,
        backpressure=_connections(),
        respawn_failed_workers=True,
        workers_kill_timeout=20,
        websockets=False,
        log_level=LogLevels.error,
    )
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except (OSError, RuntimeError) as error:
        raise installation.Unready(
            _("Cannot listen on {host}:{port} ({reason}). Choose another --port.").format(
                host=chosen.host, port=chosen.port, reason=error
            )
        ) from error
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that `serve` shares."""
    parser.add_argument("--host", default=os.environ.get("VERBUND_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("VERBUND_PORT", "8000")))
    parser.add_argument(
        "--workers",
        type=int,
        default=int(os.environ.get("VERBUND_WEB_WORKERS", str(min(4, os.cpu_count() or 1)))),
        help=_("processes"),
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=int(os.environ.get("VERBUND_WEB_THREADS", str(THREADS))),
        help=_("threads of each process"),
    )


def _connections() -> int:
    """How many connections a process takes; raises the limit of open files as far as it may, for the children too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(64, min(CONNECTIONS, wanted - _OTHER_FILES))


def load() -> Callable[..., Any]:
    """The application, loaded in each process of the server, with all that a first page would have to wait for."""
    installation.die_with_parent()
    from django.urls import get_resolver

    from verbund.config.wsgi import application

    get_resolver().reverse_dict  # noqa: B018 - reads all addresses, and with them all views
    _settle()
    return application


def _settle() -> None:
    """Take what is loaded out of the search for cycles.

    It stays for as long as the process lives, half a million objects; to walk through them all takes a tenth of a
    second, in which nobody of this process gets an answer. What a request leaves behind is found as before, in steps
    as large as one page makes objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)


def require_setup() -> None:
    """Refuse to serve pages without their static files.

    Raises:
        Unready: before `verbund setup` has run.
    """
    if not (Path(os.environ["VERBUND_VAR"]) / "static" / "staticfiles.json").exists():
        raise installation.Unready(_("Nothing is set up yet. Run `verbund setup` first."))
