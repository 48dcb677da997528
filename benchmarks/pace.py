"""How fast the machine is at a moment: the same piece of work, in Python and in PostgreSQL.

A machine shared with others changes its speed by a third within minutes. What is compared over half an hour is divided
by this; the figures in the tables are as they were measured.
"""

import time
from typing import Any, Final

import psycopg

from .cpu import own_seconds

_ROUNDS: Final = 5
_QUERY: Final = "SELECT count(*) FROM (SELECT md5(n::text) AS t FROM generate_series(1, 40000) n ORDER BY t) s"


def pace(connection: "psycopg.Connection[Any]") -> float:
    """Processor time of the work, in milliseconds: half of it in this process, half in the server's."""
    backend = connection.info.backend_pid
    connection.execute(_QUERY)
    before = own_seconds(backend) + time.process_time()
    for _round in range(_ROUNDS):
        connection.execute(_QUERY)
        _work()
    return 1000 * (own_seconds(backend) + time.process_time() - before) / _ROUNDS


def _work() -> int:
    """What pages are made of: dictionaries, strings, and a sort."""
    words = {f"{number % 977}-{number}": (number, str(number)) for number in range(25_000)}
    return sum(len("".join(words[word][1])) for word in sorted(words))
