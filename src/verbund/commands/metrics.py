"""Metrics for Prometheus on a port of their own: never on the public one, never with a body's data in them.

Web and worker are several processes; each writes its numbers into files below `var/metrics`, and the process that
answers adds them up. What stands in the queue is asked of the database at each scrape.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from . import installation
from .texts import _

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def default_port(port: int) -> int:
    """The port out of VERBUND_METRICS_PORT (0: none), or `port`."""
    return int(os.environ.get("VERBUND_METRICS_PORT", str(port)))


def prepare(name: str) -> None:
    """Give the processes below this one a folder for their numbers; a parent's folder is kept."""
    if os.environ.get(_FOLDER):
        return
    folder = installation.var() / "metrics" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[_FOLDER] = str(folder)


def serve(port: int) -> None:
    """Answer Prometheus on 127.0.0.1:`port` in a thread; without the port the service runs on, and says so."""
    if not port:
        return
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    collector: Any = MultiProcessCollector
    collector(registry)
    registry.register(QueueCollector(os.environ["DATABASE_URL"]))
    try:
        start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        print(_("verbund: no metrics, port {port}: {reason}").format(port=port, reason=error.strerror), file=sys.stderr)


class QueueCollector:
    """Jobs that wait, run or have failed, and how long the oldest that is due has waited."""

    def __init__(self, address: str) -> None:
        self.address = address

    def describe(self) -> Iterable[Any]:
        """Nothing is read when the collector is registered."""
        return []

    def collect(self) -> Iterator[Any]:
        """The numbers of this moment; without a database only that it is away."""
        import psycopg
        from prometheus_client.core import GaugeMetricFamily

        up = GaugeMetricFamily("verbund_database_up", "1 when the database answers")
        jobs = GaugeMetricFamily("verbund_jobs", "Jobs by state", labels=["state"])
        oldest = GaugeMetricFamily("verbund_oldest_job_seconds", "How long the oldest due job has waited")
        try:
            with psycopg.connect(self.address, autocommit=True, connect_timeout=3) as connection:
                for state, number in connection.execute(
                    "SELECT s, (SELECT count(*) FROM public.procrastinate_jobs j WHERE j.status::text = s)"
                    " FROM unnest(ARRAY['todo', 'doing', 'failed']) AS s"
                ).fetchall():
                    jobs.add_metric([state], number)
                row = connection.execute(
                    "SELECT coalesce(extract(epoch FROM now() - min(coalesce(j.scheduled_at, e.at))), 0)"
                    " FROM public.procrastinate_jobs j JOIN public.procrastinate_events e ON e.job_id = j.id"
                    " AND e.type = 'deferred' WHERE j.status = 'todo'"
                    " AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())"
                ).fetchone()
                oldest.add_metric([], float(row[0]) if row else 0.0)
            up.add_metric([], 1)
        except psycopg.Error:
            up.add_metric([], 0)
        yield up
        yield jobs
        yield oldest
