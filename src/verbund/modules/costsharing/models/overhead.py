"""Step-down of overhead (Stufenleiterverfahren): each centre hands its whole cost to later ones. Knows no tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .sharing import Number, share


class WrongOrder(ValueError):  # noqa: N818 - reads as the reason
    """A centre would hand cost to itself or to one that has handed over before: that could go round for ever."""


@dataclass(frozen=True, slots=True)
class Step:
    """One centre hands over: what it had in all, and who received how much."""

    centre: str
    cents: int
    given: dict[str, int]


@dataclass(frozen=True, slots=True)
class StepDown:
    """StepDown (Umlage der Vorkostenstellen): the steps, and what the final centres bear in the end."""

    steps: list[Step]
    final: dict[str, int]


def step_down(costs: Mapping[str, int], order: Sequence[str], weights: Mapping[str, Mapping[str, Number]]) -> StepDown:
    """Hand the cost of the overhead centres in `order` down to later overhead centres and to the final ones.

    `costs` are cents per centre; those not in `order` are final. `weights` says to whom each overhead centre gives.
    The total is kept (L9); it ends, for cost only moves to the right of the order.

    Raises:
        WrongOrder, NoWeight (a centre has cost and nobody to give it to), ValueError (order names one twice).
    """
    if len(set(order)) != len(order):
        raise ValueError("a centre stands twice in the order")
    place = {centre: number for number, centre in enumerate(order)}
    for giver, receivers in weights.items():
        if giver not in place:
            raise WrongOrder(giver)
        for receiver, weight in receivers.items():
            if weight and place.get(receiver, len(order)) <= place[giver]:
                raise WrongOrder(f"{giver} -> {receiver}")
    held = dict(costs)
    steps = []
    for centre in order:
        amount = held.pop(centre, 0)
        given = share(amount, {code: weight for code, weight in weights.get(centre, {}).items() if weight})
        for receiver, cents in given.items():
            held[receiver] = held.get(receiver, 0) + cents
        steps.append(Step(centre, amount, given))
    return StepDown(steps, held)
