"""Setting up the books: ledgers, charts, products, years, appropriations, circles, bank accounts, periods."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from verbund.modules.budget.models import (
    Account,
    BankAccount,
    BudgetKind,
    BudgetLine,
    CircleBalance,
    CoverCircle,
    FiscalYear,
    FundsEvent,
    Ledger,
    LineBalance,
    Product,
)
from verbund.modules.budget.policies import Permission
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, new_id

from .books import ensure_line, find_ledger, find_year


class SetUpRefused(Invalid):
    """The input cannot be taken; nothing was written."""


class PeriodRefused(Conflict):
    """Months are closed in their order, and re-opened by two people."""


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    id: UUID
    code: str
    number: int
    name: str


@transaction.atomic
def open_ledger(actor: Actor, *, code: str, name: str, now: datetime) -> LedgerFacts:
    """Open a ledger (Buchungskreis); its number (two digits of every payment reference) is the next free one.

    Raises: policy.Denied, SetUpRefused.
    """
    policy.require(actor, Permission.SET_UP)
    code, name = code.strip(), name.strip()
    if not code or len(code) > 20 or not code.isascii() or not code.replace("-", "").replace("_", "").isalnum():
        raise SetUpRefused({"code": _("A code is 1 to 20 letters, digits, hyphens or underscores.")})
    if not name or len(name) > 200:
        raise SetUpRefused({"name": _("A ledger needs a name of at most 200 characters.")})
    if Ledger.objects.filter(code=code).exists():
        raise SetUpRefused({"code": _("There is a ledger %(code)s already.") % {"code": code}})
    number = (Ledger.objects.aggregate(n=Max("number"))["n"] or 0) + 1
    if number > 99:
        raise SetUpRefused({"": _("A body can keep at most 99 ledgers.")})
    ledger = Ledger.objects.create(id=new_id(), code=code, number=number, name=name, created_at=now)
    audit.record(actor, "budget.ledger.opened", "budget.ledger", ledger.id, after={"code": code, "name": name})
    return LedgerFacts(ledger.id, code, number, name)


@transaction.atomic
def open_year(actor: Actor, *, ledger: str, year: int, now: datetime) -> UUID:
    """Open a fiscal year (Haushaltsjahr); opening it twice is no harm. Raises: policy.Denied, LedgerNotFound,
    SetUpRefused.
    """
    policy.require(actor, Permission.PLAN)
    if not 1990 <= year <= 2199:
        raise SetUpRefused({"year": _("The year must lie between 1990 and 2199.")})
    row, created = FiscalYear.objects.get_or_create(
        ledger=find_ledger(ledger), year=year, defaults={"id": new_id(), "opened_at": now}
    )
    if created:
        audit.record(actor, "budget.year.opened", "budget.fiscal_year", row.id, after={"ledger": ledger, "year": year})
    return row.id


@transaction.atomic
def set_appropriation(
    actor: Actor, *, ledger: str, year: int, product: str, account: str, cents: int, now: datetime
) -> UUID:
    """Set the appropriation (Ansatz) of a budget line, in cents; the line is made if it is missing.

    Raises: policy.Denied, LedgerNotFound, SetUpRefused (unknown product or account, negative amount, account without
    a budget).
    """
    policy.require(actor, Permission.PLAN)
    books = find_ledger(ledger)
    row = find_year(books, year)
    the_product = Product.objects.filter(ledger=books, code=product).first()
    the_account = Account.objects.filter(ledger=books, code=account).first()
    errors = {}
    if the_product is None:
        errors["product"] = _("There is no product %(code)s in this ledger.") % {"code": product}
    if the_account is None:
        errors["account"] = _("There is no account %(code)s in this ledger.") % {"code": account}
    elif the_account.account_class not in "4567":
        errors["account"] = _("Only accounts of the classes 4 to 7 have appropriations.")
    if cents < 0:
        errors["cents"] = _("An appropriation is not negative.")
    if errors or the_product is None or the_account is None:
        raise SetUpRefused(errors)
    line = ensure_line(row, the_product, the_account)
    _authorise(line, cents, now)
    audit.record(
        actor,
        "budget.appropriation.set",
        "budget.line",
        line.id,
        before={"cents": line.appropriation},
        after={"cents": cents, "line": f"{product}.{account}", "year": year},
    )
    return line.id


def _authorise(line: BudgetLine, cents: int, now: datetime) -> None:
    if line.circle_id:
        CircleBalance.objects.select_for_update().get(circle=line.circle_id)
    balance = LineBalance.objects.select_for_update().get(line=line)
    change = cents - balance.authorisation
    LineBalance.objects.filter(line=line).update(authorisation=cents)
    if line.circle_id:
        CircleBalance.objects.filter(circle=line.circle_id).update(authorisation=F("authorisation") + change)
    BudgetLine.objects.filter(id=line.id).update(appropriation=cents)
    if change:
        FundsEvent.objects.create(id=new_id(), line=line, authorisation=change, at=now)


@transaction.atomic
def form_circle(
    actor: Actor,
    *,
    ledger: str,
    year: int,
    code: str,
    budget_kind: str,
    lines: Iterable[tuple[str, str]],
    now: datetime,
    name: str = "",
) -> UUID:
    """Form a cover circle (gegenseitige Deckungsfähigkeit) of lines given as (product, account); a line is in one
    circle at most (K1).

    Raises: policy.Denied, LedgerNotFound, SetUpRefused.
    """
    policy.require(actor, Permission.PLAN)
    row = find_year(find_ledger(ledger), year)
    kind = BudgetKind(budget_kind)
    found, errors = [], {}
    for product, account in lines:
        line = (
            BudgetLine.objects.filter(fiscal_year=row, product__code=product, account__code=account, budget_kind=kind)
            .select_for_update(of=("self",))
            .first()
        )
        if line is None:
            errors[f"{product}.{account}"] = _("There is no such line in this budget.")
        elif line.circle_id:
            errors[f"{product}.{account}"] = _("The line belongs to a cover circle already.")
        else:
            found.append(line)
    if not found or CoverCircle.objects.filter(fiscal_year=row, code=code).exists():
        errors["code"] = _("A circle needs a code of its own and at least one line.")
    if errors:
        raise SetUpRefused(errors)
    circle = CoverCircle.objects.create(id=new_id(), fiscal_year=row, budget_kind=kind, code=code, name=name)
    ids = [line.id for line in found]
    BudgetLine.objects.filter(id__in=ids).update(circle=circle)
    balances = list(LineBalance.objects.filter(line__in=ids).order_by("line").select_for_update())
    CircleBalance.objects.create(
        circle=circle,
        authorisation=sum(b.authorisation for b in balances),
        consumed=sum(b.consumed for b in balances),
        open=sum(b.open for b in balances),
    )
    audit.record(actor, "budget.circle.formed", "budget.circle", circle.id, after={"code": code, "lines": len(ids)})
    return circle.id


@transaction.atomic
def open_bank_account(
    actor: Actor, *, ledger: str, account: str, iban: str, name: str, opening_cents: int, now: datetime
) -> UUID:
    """Name the bank account (Bankverbindung) behind a liquid account; `opening_cents` is what the first statement
    must open with.

    Raises: policy.Denied, LedgerNotFound, SetUpRefused.
    """
    policy.require(actor, Permission.SET_UP)
    books = find_ledger(ledger)
    the_account = Account.objects.filter(ledger=books, code=account, liquid=True).first()
    errors = {}
    if the_account is None:
        errors["account"] = _("There is no liquid account %(code)s in this ledger.") % {"code": account}
    elif BankAccount.objects.filter(account=the_account).exists():
        errors["account"] = _("The account %(code)s has a bank account already.") % {"code": account}
    compact = "".join(iban.split()).upper()
    try:
        IBAN(compact)
    except SchwiftyException:
        errors["iban"] = _("This is not a valid IBAN. Compare it with the bank's papers.")
    if BankAccount.objects.filter(iban=compact).exists():
        errors["iban"] = _("This IBAN belongs to another bank account already.")
    if errors or the_account is None:
        raise SetUpRefused(errors)
    row = BankAccount.objects.create(
        id=new_id(),
        ledger=books,
        account=the_account,
        iban=compact,
        name=name.strip(),
        opening_balance=opening_cents,
        balance=opening_cents,
        created_at=now,
    )
    audit.record(
        actor, "budget.bank_account.opened", "budget.bank_account", row.id, after={"iban": compact, "account": account}
    )
    return row.id


@transaction.atomic
def lock_period(actor: Actor, *, ledger: str, year: int, through: date, now: datetime) -> None:
    """Close the months up to `through` (J5, AC7): from now on nothing is posted on these days. Never moves back.

    Waits for postings under way, for `budget_post` holds the year's row shared. Raises: policy.Denied,
    LedgerNotFound, PeriodRefused.
    """
    policy.require(actor, Permission.LOCK_PERIOD)
    row = FiscalYear.objects.select_for_update().get(id=find_year(find_ledger(ledger), year).id)
    if through.year != year or (row.locked_through is not None and through < row.locked_through):
        raise PeriodRefused(_("A period is closed forwards, within its own year."))
    before = row.locked_through
    FiscalYear.objects.filter(id=row.id).update(locked_through=through)
    audit.record(
        actor,
        "budget.period.locked",
        "budget.fiscal_year",
        row.id,
        before={"locked_through": before},
        after={"locked_through": through},
    )
