"""Reads: how an amount came about (Rechenweg), in the words of whoever has to check it."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from verbund.modules.costsharing.models import ChargeLine, Charging, Component, KeyKind
from verbund.modules.costsharing.models.prices import written

# One and several of each unit of the catalogue.
_UNITS: Final[dict[str, Callable[[int], str]]] = {
    "flat": lambda n: ngettext("flat rate", "flat rates", n),
    "person": lambda n: ngettext("person with access", "people with access", n),
    "workplace": lambda n: ngettext("workplace", "workplaces", n),
    "mailbox": lambda n: ngettext("mailbox", "mailboxes", n),
    "case": lambda n: ngettext("case", "cases", n),
    "document": lambda n: ngettext("document", "documents", n),
    "gigabyte": lambda n: ngettext("gigabyte", "gigabytes", n),
    "school_client": lambda n: ngettext("school computer", "school computers", n),
    "ticket": lambda n: ngettext("request for help", "requests for help", n),
    "hour": lambda n: ngettext("hour", "hours", n),
    "payslip": lambda n: ngettext("payslip", "payslips", n),
    "inhabitant": lambda n: ngettext("inhabitant", "inhabitants", n),
}


def way_of(line: ChargeLine, unit: str) -> str:
    """How the amount of a priced line came about: "42 workplaces × 1,180.00 euros a year, 32 of 365 days".

    Empty for a line without a price. Lines of runs that did not keep it say quantity and price.
    """
    if line.quantity is None or line.price_euros is None:
        return ""
    euros = {"euros": written(line.price_euros)}
    by_year = line.charging == Charging.STOCK
    price = _("%(euros)s euros a year") % euros if by_year else _("%(euros)s euros") % euros
    if not line.made_of:
        return _("%(quantity)s × %(price)s") % {"quantity": _number(line.quantity), "price": price}
    parts = [(_counted(line, unit, Decimal(quantity)), _days(days, of)) for quantity, days, of in line.made_of]
    if len(parts) == 1:
        quantity, days = parts[0]
        said = _("%(quantity)s × %(price)s") % {"quantity": quantity, "price": price} if quantity else price
        return f"{said}, {days}" if days else said
    pieces = [_("%(quantity)s on %(days)s") % {"quantity": q, "days": d} if d else q for q, d in parts]
    return _("%(price)s for each: %(pieces)s") % {"price": price, "pieces": "; ".join(pieces)}


def levy_way(line: ChargeLine, levy: Mapping[str, Any] | None) -> str:
    """How a share by key came about, out of the copy of the inputs: "share of 45,000.00 euros by the key K, day by day:
    inhabitants 4,200 of 138,000 (30 %), equal shares 1 of 12 (70 %)".

    Empty for any other line. All are those who bear on some day of the run; who bears for a part of its days has its
    part of the share.
    """
    if line.component != Component.LEVY or not levy:
        return ""
    weights = [Fraction(part["weight"]) for part in levy["parts"]]
    parts = [_part_of_key(line, part, levy["present"], w / sum(weights)) for part, w in zip(levy["parts"], weights)]
    return _("share of %(total)s euros by the key %(key)s, day by day: %(parts)s") % {
        "total": written(Decimal(levy["cents"]) / 100),
        "key": levy["key"],
        "parts": ", ".join(parts),
    }


def _part_of_key(line: ChargeLine, part: Mapping[str, Any], present: Iterable[str], weight: Fraction) -> str:
    own, everybodys = (
        sum((Fraction(part["values"].get(code, 0)) for code in codes), Fraction(0))
        for codes in ([line.member_code], present)
    )
    return _("%(kind)s %(own)s of %(all)s (%(weight)s %%)") % {
        "kind": KeyKind(part["kind"]).label,
        "own": _number(_places(own)),
        "all": _number(_places(everybodys)),
        "weight": _number(_places(weight * 100)),
    }


def _places(value: Fraction) -> Decimal:
    """As many places as are read: three at most."""
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.001"))


def is_whole(line: ChargeLine) -> bool:
    """Whether the line is one quantity over all the days its price is for: then quantity × price is the amount."""
    return len(line.made_of) == 1 and line.made_of[0][1] == line.made_of[0][2]


def _counted(line: ChargeLine, unit: str, quantity: Decimal) -> str:
    """The quantity with its unit; nothing for a base amount, of which there is one."""
    if line.component == Component.BASE:
        return ""
    name = _UNITS[unit](1 if quantity == 1 else 2) if unit in _UNITS else ""
    return f"{_number(quantity)} {name}".rstrip()


def _days(days: int, of: int) -> str:
    return "" if days == of else _("%(days)s of %(of)s days") % {"days": days, "of": of}


def _number(value: Decimal) -> str:
    return str(number_format(f"{value.normalize():f}", force_grouping=True))
