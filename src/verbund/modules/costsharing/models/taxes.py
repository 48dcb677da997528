"""Value added tax on charges between public bodies (§ 2b UStG). Knows no tables, infers nothing.

Tax is reckoned per treatment and rate on the sum of the net amounts (VAT1); where nothing is taxable no tax is shown
(VAT2, § 14c UStG); input tax is deductible for taxable outputs only (VAT3, § 15 (4) UStG); the day of performance
decides which treatment holds (VAT4, § 27 (1) UStG).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from .days import ONE_DAY, Span, cut
from .sharing import half_up, share


@dataclass(frozen=True, slots=True)
class Treatment:
    """Treatment (umsatzsteuerliche Behandlung): its code, rate in per cent, and the category code of EN 16931."""

    code: str
    rate: int
    category: str
    reason: str  # what an invoice says; the German words of the law


TREATMENTS = {
    t.code: t
    for t in (
        Treatment("not_taxable_2b1", 0, "O", "§ 2b Abs. 1 UStG"),
        Treatment("not_taxable_2b3_1", 0, "O", "§ 2b Abs. 3 Nr. 1 UStG"),
        Treatment("not_taxable_2b3_2", 0, "O", "§ 2b Abs. 3 Nr. 2 UStG"),
        Treatment("exempt_4_29", 0, "E", "§ 4 Nr. 29 UStG"),
        Treatment("taxable_19", 19, "S", ""),
        Treatment("taxable_7", 7, "S", ""),
        Treatment("bga_old_law", 0, "O", "§ 2 Abs. 3 UStG a. F., § 27 Abs. 22a UStG"),
    )
}


@dataclass(frozen=True, slots=True)
class TaxSum:
    """TaxSum (Steuerzeile): net and tax of one treatment on one invoice, in cents."""

    treatment: str
    rate: int
    net_cents: int
    tax_cents: int


def tax_sums(lines: Iterable[tuple[str, int]]) -> list[TaxSum]:
    """The tax of (treatment, net cents) pairs: per treatment on the sum, rounded half up.

    Raises:
        KeyError: a treatment that is not known; none is ever assumed.
    """
    nets: dict[str, int] = {}
    for code, cents in lines:
        nets[code] = nets.get(code, 0) + cents
    sums = []
    for code, net in sorted(nets.items()):
        rate = TREATMENTS[code].rate
        sums.append(TaxSum(code, rate, net, half_up(Fraction(net * rate, 100))))
    return sums


def tax_group(treatment: str) -> str:
    """O for what is no subject of the tax at all, S for everything else: EN 16931 (BR-O-11) keeps them on invoices of
    their own."""
    return "O" if TREATMENTS[treatment].category == "O" else "S"


def deductible_input_tax(tax_cents: int, *, taxable: int, other: int) -> tuple[int, int]:
    """Input tax as (deductible, not deductible), by the key of taxable to other outputs; both sum to the tax.

    Without any output nothing is deductible.
    """
    if taxable <= 0:
        return 0, tax_cents
    parts = share(tax_cents, {"1 taxable": taxable, "2 other": max(other, 0)})
    return parts["1 taxable"], parts["2 other"]


def split_by_treatment(span: Span, steps: Sequence[tuple[date, str]]) -> list[tuple[Span, str | None]]:
    """The days of a performance with the treatment in force on them; None where none was reviewed yet.

    `steps` are (first day, treatment), each in force until the next.
    """
    ordered = sorted(steps)
    pieces: list[tuple[Span, str | None]] = []
    for piece in cut(span, [day for day, _code in ordered]):
        code = next((code for day, code in reversed(ordered) if day <= piece.first), None)
        if pieces and pieces[-1][1] == code and pieces[-1][0].last + ONE_DAY == piece.first:
            pieces[-1] = (Span(pieces[-1][0].first, piece.last), code)
        else:
            pieces.append((piece, code))
    return pieces
