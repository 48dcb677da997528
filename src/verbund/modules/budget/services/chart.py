"""Import of a chart of accounts (Kontenplan) and of products (Produktplan) from CSV: all errors at once, nothing half
imported.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from verbund.modules.budget.models import (
    KINDS_OF_CLASS,
    Account,
    AccountKind,
    AccountRole,
    CashSection,
    Ledger,
    Product,
    SubBudget,
)
from verbund.modules.budget.policies import Permission
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Invalid, new_id

from .books import find_ledger

ACCOUNT_COLUMNS = ("code", "name", "kind", "role", "liquid", "finance_account", "section", "scheduled_repayment")
PRODUCT_COLUMNS = ("code", "name", "sub_budget", "sub_budget_name")
MAX_ROWS = 20_000
_YES = {"1": True, "yes": True, "ja": True, "x": True, "": False, "0": False, "no": False, "nein": False}


class ChartRefused(Invalid):
    """The table has errors; `errors` maps "line N" to what is wrong there. Nothing was imported."""


@dataclass(frozen=True, slots=True)
class ChartReport:
    """How many rows were new, changed, and the same as before."""

    created: int
    updated: int
    unchanged: int


class _Errors:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def add(self, line: int, message: str) -> None:
        key = _("line %(number)d") % {"number": line}
        self.found[key] = f"{self.found[key]} {message}" if key in self.found else message


def import_chart(actor: Actor, *, ledger: str, csv_text: str, now: datetime) -> ChartReport:
    """Import accounts: columns code, name, kind, role, liquid, finance_account, section, scheduled_repayment; `;` or
    `,`.

    Accounts that are there are changed where the journal allows it (C3), accounts that are missing in the table stay.
    Revenue and expense with a `finance_account` are cash-effective; class 4 pairs with 6, class 5 with 7 (C2).

    Raises: policy.Denied, LedgerNotFound, ChartRefused (all errors, with line numbers).
    """
    policy.require(actor, Permission.SET_UP)
    books = find_ledger(ledger)
    errors = _Errors()
    rows = {}
    for number, row in _table(csv_text, ACCOUNT_COLUMNS, errors):
        account = _account(books, number, row, errors)
        if account.code in rows:
            errors.add(number, _("The account %(code)s stands twice in the table.") % {"code": account.code})
        rows[account.code] = (number, account, row["finance_account"])
    there = {a.code: a for a in Account.objects.filter(ledger=books)}
    _check_pairs(rows, there, errors)
    _check_roles(rows, there, errors)
    if errors.found:
        raise ChartRefused(errors.found)
    try:
        with transaction.atomic():
            report = _store(rows, there)
            audit.record(
                actor,
                "budget.chart.imported",
                "budget.ledger",
                books.id,
                after={"created": report.created, "updated": report.updated},
            )
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != "VB008":
            raise
        raise ChartRefused(
            {"": _("The table re-classes an account that the journal uses. Give such an account a new code.")}
        ) from error
    return report


def import_products(actor: Actor, *, ledger: str, csv_text: str, now: datetime) -> ChartReport:
    """Import products: columns code, name, sub_budget, sub_budget_name; sub-budgets are made as they appear (P1).

    Raises: policy.Denied, LedgerNotFound, ChartRefused (all errors, with line numbers).
    """
    policy.require(actor, Permission.SET_UP)
    books = find_ledger(ledger)
    errors = _Errors()
    rows: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    for number, row in _table(csv_text, PRODUCT_COLUMNS, errors):
        if not row["code"].isascii() or not row["code"].isdigit() or not 3 <= len(row["code"]) <= 12:
            errors.add(number, _("A product code has 3 to 12 digits."))
        if row["code"] in rows:
            errors.add(number, _("The product %(code)s stands twice in the table.") % {"code": row["code"]})
        if not row["name"]:
            errors.add(number, _("The name is missing."))
        if not row["sub_budget"] or len(row["sub_budget"]) > 12:
            errors.add(number, _("A product belongs to a sub-budget with a code of at most 12 characters."))
        names.setdefault(row["sub_budget"], row["sub_budget_name"] or row["sub_budget"])
        rows[row["code"]] = row
    if errors.found:
        raise ChartRefused(errors.found)
    with transaction.atomic():
        groups = {s.code: s for s in SubBudget.objects.filter(ledger=books)}
        for code, name in names.items():
            if code not in groups:
                groups[code] = SubBudget.objects.create(id=new_id(), ledger=books, code=code, name=name)
        there = {p.code: p for p in Product.objects.filter(ledger=books)}
        created = [
            Product(id=new_id(), ledger=books, code=code, name=row["name"], sub_budget=groups[row["sub_budget"]])
            for code, row in rows.items()
            if code not in there
        ]
        changed = []
        for code, row in rows.items():
            old = there.get(code)
            if old and (old.name, old.sub_budget_id) != (row["name"], groups[row["sub_budget"]].id):
                old.name, old.sub_budget = row["name"], groups[row["sub_budget"]]
                changed.append(old)
        Product.objects.bulk_create(created)
        Product.objects.bulk_update(changed, ["name", "sub_budget"])
        report = ChartReport(len(created), len(changed), len(rows) - len(created) - len(changed))
        audit.record(
            actor,
            "budget.products.imported",
            "budget.ledger",
            books.id,
            after={"created": report.created, "updated": report.updated},
        )
    return report


def _table(text: str, columns: tuple[str, ...], errors: _Errors) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows as dictionaries with the number of their line; wrong shapes go to `errors`."""
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        missing = [c for c in columns if c not in header]
        if missing:
            errors.add(1, _("The columns %(names)s are missing in the first line.") % {"names": ", ".join(missing)})
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if reader.line_num > MAX_ROWS:
                errors.add(reader.line_num, _("The table has more than %(rows)d lines.") % {"rows": MAX_ROWS})
                return
            if len(cells) != len(header):
                errors.add(
                    reader.line_num,
                    _("The line has %(found)d columns instead of %(wanted)d.")
                    % {"found": len(cells), "wanted": len(header)},
                )
                continue
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            if any("\x00" in cell or len(cell) > 200 for cell in row.values()):
                errors.add(reader.line_num, _("A cell is longer than 200 characters or not text."))
                continue
            yield reader.line_num, row
    except csv.Error:
        errors.add(reader.line_num, _("The line is not readable: check the quotation marks."))


def _account(ledger: Ledger, number: int, row: dict[str, str], errors: _Errors) -> Account:
    code = row["code"]
    if not code.isascii() or not code.isdigit() or not 4 <= len(code) <= 12:
        errors.add(number, _("An account code has 4 to 12 digits."))
    kinds = KINDS_OF_CLASS.get(code[:1], frozenset())
    if row["kind"] not in AccountKind.values:
        errors.add(number, _("“%(kind)s” is not a kind of account.") % {"kind": row["kind"]})
    elif row["kind"] not in kinds:
        errors.add(
            number,
            _("The kind %(kind)s does not go with the class %(digit)s.") % {"kind": row["kind"], "digit": code[:1]},
        )
    if not row["name"]:
        errors.add(number, _("The name is missing."))
    for column, values in (("role", AccountRole.values), ("section", CashSection.values)):
        if row[column] not in values:
            errors.add(
                number,
                _("“%(value)s” is not known in the column %(column)s.") % {"value": row[column], "column": column},
            )
    flags = {}
    for column in ("liquid", "scheduled_repayment"):
        flags[column] = _YES.get(row[column].lower())
        if flags[column] is None:
            errors.add(number, _("The column %(column)s says yes or no.") % {"column": column})
    finance = row["kind"] in (AccountKind.RECEIPT, AccountKind.PAYMENT)
    if finance and not row["section"]:
        errors.add(number, _("A finance account needs its section of the cash statement."))
    if flags["liquid"] and row["kind"] != AccountKind.ASSET:
        errors.add(number, _("Only an asset can be liquid."))
    if row["finance_account"] and row["kind"] not in (AccountKind.REVENUE, AccountKind.EXPENSE):
        errors.add(number, _("Only revenue and expense have a finance account as partner."))
    return Account(
        id=new_id(),
        ledger=ledger,
        code=code,
        name=row["name"],
        kind=row["kind"],
        role=row["role"],
        liquid=bool(flags["liquid"]),
        section=row["section"],
        scheduled_repayment=bool(flags["scheduled_repayment"]),
    )


def _check_pairs(rows: dict[str, tuple[int, Account, str]], there: dict[str, Account], errors: _Errors) -> None:
    for number, account, partner in rows.values():
        if not partner:
            continue
        other = rows[partner][1] if partner in rows else there.get(partner)
        if other is None:
            errors.add(
                number, _("The finance account %(code)s is neither in the table nor in the ledger.") % {"code": partner}
            )
        elif (account.code[:1], other.code[:1]) not in (("4", "6"), ("5", "7")):
            errors.add(
                number,
                _("Class 4 pairs with class 6 and class 5 with class 7, not %(one)s with %(other)s.")
                % {"one": account.code, "other": partner},
            )


def _check_roles(rows: dict[str, tuple[int, Account, str]], there: dict[str, Account], errors: _Errors) -> None:
    wanted = {
        AccountRole.RECEIVABLE: AccountKind.ASSET,
        AccountRole.PAYABLE: AccountKind.LIABILITY,
        AccountRole.SUSPENSE_IN: AccountKind.LIABILITY,
        AccountRole.SUSPENSE_OUT: AccountKind.ASSET,
        AccountRole.TRANSIT_IN: AccountKind.RECEIPT,
        AccountRole.TRANSIT_OUT: AccountKind.PAYMENT,
        AccountRole.RESULT_CARRIED: AccountKind.EQUITY,
    }
    holders = {a.role: a.code for a in there.values() if a.role and a.code not in rows}
    for number, account, _partner in rows.values():
        if account.role in wanted and account.kind != wanted[AccountRole(account.role)]:
            errors.add(
                number,
                _("The role %(role)s does not go with the kind %(kind)s.")
                % {"role": account.role, "kind": account.kind},
            )
        if account.role in (AccountRole.NONE, AccountRole.RECEIVABLE, AccountRole.PAYABLE):
            continue
        if account.role in holders:
            errors.add(
                number,
                _("The role %(role)s is held by the account %(code)s already.")
                % {"role": account.role, "code": holders[account.role]},
            )
        holders[account.role] = account.code


def _store(rows: dict[str, tuple[int, Account, str]], there: dict[str, Account]) -> ChartReport:
    fields = ("name", "kind", "role", "liquid", "section", "scheduled_repayment")
    created, updated, unchanged = 0, 0, 0
    at_hand = dict(there)
    # Finance accounts first: revenue and expense point to them.
    for code, (_number, account, partner) in sorted(rows.items(), key=lambda pair: (pair[1][2] != "", pair[0])):
        account.finance_account = at_hand.get(partner) if partner else None
        account.cash_effective = account.finance_account is not None
        old = there.get(code)
        if old is None:
            account.save(force_insert=True)
            at_hand[code] = account
            created += 1
        elif (
            any(getattr(old, f) != getattr(account, f) for f in fields)
            or old.finance_account_id != account.finance_account_id
        ):
            for name in (*fields, "finance_account", "cash_effective"):
                setattr(old, name, getattr(account, name))
            old.save()
            updated += 1
        else:
            unchanged += 1
    return ChartReport(created, updated, unchanged)
