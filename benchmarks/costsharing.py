"""The reckoning of a charge run for 200 bodies and 60 services with daily pro rata over a year, without any table.

    python -m benchmarks.costsharing [--bodies 200] [--services 60]

What is measured is the reckoning itself and the frozen copy; `make bench` measures the whole run with gathering and
writing (`charge_run`). Joining and leaving on other days, a price change and a tax switch in each.
"""

import argparse
import os
import random
import resource
import time
from datetime import date, timedelta
from fractions import Fraction

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
django.setup()  # the room's package holds tables too; none is used here

from verbund.modules.costsharing.models.days import Span, year_span  # noqa: E402
from verbund.modules.costsharing.models.inputs import (  # noqa: E402
    LevyInput,
    PartyInput,
    PriceInput,
    QuantityInput,
    RunInputs,
    ServiceInput,
    frozen,
)
from verbund.modules.costsharing.models.reckoning import reckon  # noqa: E402
from verbund.modules.costsharing.models.sharing import KeyPart  # noqa: E402


def inputs(bodies: int, services: int, year: int = 2026) -> RunInputs:
    """Made-up figures; the same for the same numbers."""
    rng = random.Random(f"{bodies} {services}")
    whole = year_span(year)
    parties = tuple(PartyInput(f"body-{n:03d}", str(n), f"Stadt {n:03d}", "town") for n in range(bodies))
    made = []
    for number in range(services):
        used, quantities = {}, {}
        for party in parties:
            first = whole.first + timedelta(days=rng.choice((0, 0, rng.randrange(365))))
            last = whole.last - timedelta(days=rng.choice((0, 0, 0, rng.randrange(100))))
            used[party.code] = (Span(first, max(first, last)),)
            half = date(year, 7, 1)
            quantities[party.code] = (
                QuantityInput(Span(whole.first, half - timedelta(days=1)), Fraction(rng.randrange(1, 900)), "metered"),
                QuantityInput(Span(half, whole.last), Fraction(rng.randrange(1, 900)), "metered"),
            )
        used[parties[0].code] = (whole,)
        prices = ((date(2020, 1, 1), Fraction(rng.randrange(100, 90_000))), (date(year, 4, 15), Fraction(12_345)))
        values = {party.code: rng.randrange(1, 90_000) for party in parties}
        levy = LevyInput(
            rng.randrange(10**8),
            "K",
            (KeyPart("inhabitants", Fraction(30), values), KeyPart("equal", Fraction(70), dict.fromkeys(values, 1))),
            used,
        )
        made.append(
            ServiceInput(
                f"S{number:02d}",
                f"Leistung {number}",
                "workplace",
                "contract",
                {"": ((date(2020, 1, 1), "bga_old_law"), (date(year, 10, 1), "taxable_19"))},
                (
                    PriceInput("quantity", "stock", "workplace", prices),
                    PriceInput("base", "stock", "workplace", ((date(2020, 1, 1), Fraction(50_000)),)),
                ),
                levy if number % 3 == 0 else None,
                used,
                quantities,
            )
        )
    return RunInputs("advance", whole, parties, tuple(made))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bodies", type=int, default=200)
    parser.add_argument("--services", type=int, default=60)
    chosen = parser.parse_args()
    given = inputs(chosen.bodies, chosen.services)
    wall, cpu = time.perf_counter(), time.process_time()
    done = reckon(given)
    reckoned = time.process_time() - cpu
    _values, digest = frozen(given)
    print(f"{chosen.bodies} bodies x {chosen.services} services: {len(done.lines)} lines")
    print(f"reckoned {reckoned:.2f} s CPU; with the frozen copy {time.process_time() - cpu:.2f} s CPU")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.perf_counter() - wall:.2f} s; {memory:.0f} MB; {digest[:12]}")


if __name__ == "__main__":
    main()
