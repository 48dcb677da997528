"""What a process keeps for all bodies stays below its bound."""

from functools import partial

from tests.races import at_once

from verbund.platform.tenancy.shelf import Shelf


def test_what_was_not_asked_for_longest_goes_first() -> None:
    shelf: Shelf[str] = Shelf(80)
    for name in "abcdefgh":
        shelf.keep(name, name.upper(), 10)
    assert shelf.get("a") == "A"
    shelf.keep("i", "I", 5)
    assert (shelf.get("b"), shelf.get("a"), shelf.get("i"), shelf.held) == (None, "A", "I", 75)


def test_a_value_kept_again_counts_once() -> None:
    shelf: Shelf[str] = Shelf(80)
    shelf.keep("a", "old", 10)
    shelf.keep("a", "new", 4)
    assert (shelf.get("a"), shelf.held) == ("new", 4)


def test_one_huge_value_pushes_nothing_out() -> None:
    shelf: Shelf[str] = Shelf(80)
    shelf.keep("a", "A", 10)
    assert shelf.keep("huge", "H", 41) == "H"
    assert (shelf.get("huge"), shelf.get("a"), shelf.held) == (None, "A", 10)


def test_threads_leave_the_sum_right() -> None:
    shelf: Shelf[int] = Shelf(1000)

    def work(seed: int) -> None:
        for n in range(2000):
            shelf.keep((seed * n) % 97, n, 1 + n % 100)
            shelf.get(n % 97)

    assert at_once([partial(work, seed) for seed in (3, 5, 7, 11)]) == [None] * 4
    assert shelf.held == sum(size for _value, size in shelf._values.values()) <= 1000
