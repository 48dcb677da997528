"""What an open job waits for, told at once: the jobs, who worked at them, what failed, and the worker's own log."""

import re
import signal
import time
from contextlib import suppress
from typing import Any, Final

import psutil

from .instance import Instance

# Everything that may hold a job up, asked behind the application's back.
QUESTIONS: Final[dict[str, str]] = {
    "open jobs": """
        SELECT j.id, j.status, j.task_name, coalesce(j.args ->> 'hearer', j.args ->> 'work') AS what,
               j.args ->> 'body' AS body, j.attempts,
               round(extract(epoch FROM j.scheduled_at - now())) AS due_in_seconds,
               j.lock, j.queueing_lock, j.worker_id, j.abort_requested, f.error AS last_failure, f.at AS failed_at
          FROM public.procrastinate_jobs j LEFT JOIN public.identity_jobfailure f ON f.job_id = j.id
         WHERE j.status IN ('todo', 'doing') ORDER BY j.id LIMIT 20""",
    "what became of them": """
        SELECT e.job_id, e.type, e.at
          FROM public.procrastinate_events e JOIN public.procrastinate_jobs j ON j.id = e.job_id
         WHERE j.status IN ('todo', 'doing') ORDER BY e.job_id, e.id LIMIT 80""",
    "workers": """
        SELECT id, last_heartbeat, round(extract(epoch FROM now() - last_heartbeat)) AS silent_for_seconds
          FROM public.procrastinate_workers ORDER BY id""",
    "all jobs": "SELECT status, attempts, count(*) FROM public.procrastinate_jobs GROUP BY 1, 2 ORDER BY 1, 2",
    "connections": """
        SELECT pid, usename, state, wait_event_type, wait_event, pg_blocking_pids(pid) AS blocked_by,
               round(extract(epoch FROM now() - state_change)) AS seconds, left(query, 120) AS query
          FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid""",
}
_NAME: Final = re.compile(r"worker(\.\d+)?\.log")


def tell(house: Instance) -> str:
    """Everything that is known of the jobs that are not done, as text. It ends the worker, to see where it stood."""
    parts = [
        f"{what}:\n" + "\n".join(f"  {row}" for row in _rows(house, question)) for what, question in QUESTIONS.items()
    ]
    process = house.children.processes.get("worker")
    parts.append(f"worker: {_state(process.pid) if process else 'none'}, its life number {house.lives['worker']}")
    if process is not None and process.poll() is None:
        process.send_signal(signal.SIGABRT)  # faulthandler writes every thread's place into the log
        with suppress(Exception):
            process.wait(10)
    logs = sorted((f for f in house.var.iterdir() if _NAME.fullmatch(f.name)), key=lambda f: f.stat().st_mtime)
    for log in logs[-3:]:
        lines = log.read_text(errors="replace").splitlines()
        parts.append(f"{log.name}, {len(lines)} lines:\n" + "\n".join(f"  {line[:600]}" for line in lines[-60:]))
    return "\n".join(parts)


def _rows(house: Instance, question: str) -> list[dict[str, Any]]:
    with house.owner() as connection:
        cursor = connection.execute(question)
        names = [column.name for column in cursor.description or ()]
        return [{n: str(v) for n, v in zip(names, row, strict=True) if v is not None} for row in cursor.fetchall()]


def _state(pid: int) -> str:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return f"{process.status()} for {time.time() - process.create_time():.0f} s, {process.num_threads()} threads"
    return "ended"
