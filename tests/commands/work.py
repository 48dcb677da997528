"""A morning's work in the body alpha, through the rooms' doors; run as a script against the database of the
environment."""

import os
from datetime import date

import django


def main() -> None:
    django.setup()
    from verbund.modules.budget import services as budget
    from verbund.modules.budget.tests import factories as books
    from verbund.modules.records import services as records
    from verbund.modules.records.tests import factories as files
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for

    with acting_for("alpha"):
        actor = Actor.system("alpha", "test")
        files.file_plan(actor)
        case = files.open_case(actor)
        first = files.file_text(actor, case, "Erste Fassung.")
        files.file_text(actor, case, "Ein zweites Schreiben.", title="Schreiben")
        records.add_version(
            actor,
            document_id=first.id,
            content=b"Zweite Fassung.",
            filename="notiz.txt",
            expected_version=1,
            now=files.NOW,
        )
        town = books.make_town(actor)
        for cents in (3070, 1500, 990):
            books.raise_claim(town, cents, actor=actor)
        budget.post_voucher(
            actor,
            ledger=town.ledger,
            year=town.year,
            series="EB",
            posting_date=date(2026, 1, 1),
            document_date=date(2026, 1, 1),
            text="Eröffnung, Nachtrag",
            kind=budget.VoucherKind.OPENING,
            lines=[budget.Line("1810", debit=500), budget.Line("2010", credit=500)],
            now=books.NOW,
        )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
    main()
