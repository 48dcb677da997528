"""The house itself, served on a free port of this machine for the length of a test."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def aside(question: Callable[[], T]) -> T:
    """Ask the database in a thread of its own: the browser's driver keeps an event loop in the test's thread."""

    def asked() -> T:
        from django.db import connections

        try:
            return question()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asked).result()


class _Quiet:
    """Mixed into the request handler: no line per request among the tests' output."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        return


@contextmanager
def serving() -> Iterator[int]:
    """Serve the application with its static files; gives the port. Bodies are reached as <slug>.localhost."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application
    from django.db import connections

    class Handler(_Quiet, WSGIRequestHandler):
        pass

    class Server(ThreadedWSGIServer):
        daemon_threads = True

        def close_request(self, request: Any) -> None:
            connections.close_all()
            super().close_request(request)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = Server(("127.0.0.1", port), Handler)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
