"""Sharing an amount of cents by keys, exactly: largest remainder, ties to the lower member code. Knows no tables.

`share` follows the quota rule: nobody gets less than their exact share rounded down, nobody more than rounded up. The
method is known to break monotony by one cent when the amount or somebody else's key changes; that is accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, lcm

from .days import ONE_DAY, Span, cut, missing

Number = int | Fraction


class NoWeight(ValueError):  # noqa: N818 - reads as the reason
    """There is an amount to share and no weight to share it by."""


def half_up(value: Fraction) -> int:
    """Rounded to a whole number, a half away from zero (kaufmännisch)."""
    doubled = abs(value) + Fraction(1, 2)
    return floor(doubled) if value >= 0 else -floor(doubled)


def share(total: int, weights: Mapping[str, Number]) -> dict[str, int]:
    """`total` (cents, may be negative) in shares proportional to `weights` (none below zero) that sum to it exactly.

    Raises:
        NoWeight: there is something to share and all weights are zero. ValueError: a weight is below zero.
    """
    if any(weight < 0 for weight in weights.values()):
        raise ValueError("weights are not below zero")
    whole, _scale = _scaled(weights)
    base = sum(whole.values())
    if base == 0:
        if total:
            raise NoWeight("all weights are zero")
        return dict.fromkeys(weights, 0)
    amount = abs(total)
    shares, remainders = {}, {}
    for code, weight in whole.items():
        shares[code], remainders[code] = divmod(amount * weight, base)
    _give(shares, remainders, amount - sum(shares.values()))
    return shares if total >= 0 else {code: -cents for code, cents in shares.items()}


def fit(total: int, exact: Mapping[str, Fraction]) -> dict[str, int]:
    """Whole cents next to `exact` that sum to `total`, which is the rounded sum of `exact`; the largest remainders go
    up."""
    whole, scale = _scaled(exact)
    return _fitted(total, whole, scale)


def fit_rounded(exact: Mapping[str, Fraction]) -> dict[str, int]:
    """As `fit`, to the sum of `exact` rounded half up."""
    whole, scale = _scaled(exact)
    return _fitted(half_up(Fraction(sum(whole.values()), scale)), whole, scale)


def _scaled(exact: Mapping[str, Number]) -> tuple[dict[str, int], int]:
    """The numerators over one denominator for all: whole numbers are added ten times as fast."""
    scale = lcm(*(value.denominator for value in exact.values()))
    return {code: value.numerator * (scale // value.denominator) for code, value in exact.items()}, scale


def _fitted(total: int, whole: Mapping[str, int], scale: int) -> dict[str, int]:
    shares, remainders = {}, {}
    for code, value in whole.items():
        shares[code], remainders[code] = divmod(value, scale)
    _give(shares, remainders, total - sum(shares.values()))
    return shares


def _give(shares: dict[str, int], remainders: Mapping[str, Number], rest: int) -> None:
    for code in sorted(shares, key=lambda code: (-remainders[code], code))[:rest]:
        shares[code] += 1


@dataclass(frozen=True, slots=True)
class KeyPart:
    """KeyPart (Schlüsselanteil): what counts (`kind`), how much it counts in the mix, and each member's value."""

    kind: str
    weight: Fraction
    values: Mapping[str, Number]


@dataclass(frozen=True, slots=True)
class DailyShares:
    """What everybody's days cost, exactly, and the days nobody bears."""

    exact: dict[str, Fraction]
    unborne: list[Span]


def by_days(total: int, over: Span, parts: Sequence[KeyPart], present: Mapping[str, Sequence[Span]]) -> DailyShares:
    """Share `total` cents over the days of `over`: every day costs the same, and it is borne by those present on it.

    On each day each part of the key is taken among those present, then mixed by the parts' weights (M8, L7).

    Raises:
        NoWeight: on some day the values of a part are all zero.
    """
    mix = sum((part.weight for part in parts), Fraction(0))
    if mix <= 0:
        raise NoWeight("the key has no part that counts")
    changes = {d for spans in present.values() for span in spans for d in (span.first, span.last + ONE_DAY)}
    pieces = cut(over, changes)
    place = {piece.first: number for number, piece in enumerate(pieces)}
    borne = [False] * len(pieces)
    sums: list[list[Number]] = [[0] * len(pieces) for _ in parts]
    runs: dict[str, list[tuple[int, int]]] = {}
    for code, spans in present.items():
        for span in spans:
            inside = span.within(over)
            if inside is None:
                continue
            begin = place[inside.first]
            end = place.get(inside.last + ONE_DAY, len(pieces))
            runs.setdefault(code, []).append((begin, end))
            for number in range(begin, end):
                borne[number] = True
                for row, part in zip(sums, parts):
                    row[number] += part.values.get(code, 0)
    per_day = Fraction(total, over.days)
    exact = dict.fromkeys(present, Fraction(0))
    for row, part in zip(sums, parts):
        running, steps = Fraction(0), [Fraction(0)]
        for piece, whole, somebody in zip(pieces, row, borne):
            if somebody and part.weight:
                if not whole:
                    raise NoWeight(part.kind)
                running += per_day * piece.days * part.weight / mix / Fraction(whole)
            steps.append(running)
        for code, stretches in runs.items():
            value = part.values.get(code, 0)
            for begin, end in stretches:
                exact[code] += value * (steps[end] - steps[begin])
    return DailyShares(exact, missing([over], [piece for piece, somebody in zip(pieces, borne) if somebody]))


def part_of_year(total: int, done_before: int, done_after: int, days: int) -> int:
    """What falls on a stretch of a year of `days` days, so that the stretches of the year sum to `total` exactly."""
    return half_up(Fraction(total * done_after, days)) - half_up(Fraction(total * done_before, days))


def own_share(charge: int, subsidy: int) -> int:
    """What is left of a charge after the subsidy that is passed on (L10).

    Raises:
        ValueError: the subsidy is below zero or more than the charge.
    """
    if not 0 <= subsidy <= charge:
        raise ValueError("a subsidy lies between nothing and the whole charge")
    return charge - subsidy


def settlement(final: Mapping[str, int], advances: Mapping[str, int]) -> dict[str, int]:
    """What is still to be paid (or, below zero, to be given back): final share less advances, for everybody named in
    either (L5)."""
    return {code: final.get(code, 0) - advances.get(code, 0) for code in sorted({*final, *advances})}
