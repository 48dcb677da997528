"""Budget (Haushalt): the books of a public body.

A body keeps one or several *ledgers* (Buchungskreise); each has a chart of accounts, products, fiscal years,
appropriations and an immutable journal. A *claim* (Forderung) becomes a voucher, an open item and a payment
reference; a bank statement (camt.053) settles it. *Invoices* are written and received electronically (XRechnung,
ZUGFeRD); the claim of an invoice is its sum.

Doors: `services` (open_ledger, import_chart, raise_claim, post_voucher, import_statement,
issue_invoice, receive_invoice, ...), `queries` and `events`
(ClaimSettled, ClaimReopened). The room stands on the floor of registers: it knows nothing of applications, only their
`origin`.

The law of the journal is written in `models/journal.py` and enforced by PostgreSQL
(`migrations/0002_journal_law.py`); the exact bytes that are hashed are described in `models/canonical.py` and ADR 0040.
"""
