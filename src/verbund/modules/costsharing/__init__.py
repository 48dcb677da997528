"""Cost sharing (Kostenverteilung): what the alliance costs, and who bears how much of it.

Its words: *business plan* (Wirtschaftsplan), *cost centre* (Kostenstelle), *tariff* (Tarif), *measure* (Messwert),
*key* (Schlüssel), *charge rule* (Abrechnungsregel), *tax treatment* (umsatzsteuerliche Behandlung), *charge run*
(Abrechnungslauf), *invoice* (Rechnung), *scenario* (Modellrechnung).

It works in the alliance's own body. Services and agreements are membership's catalogue, named here by their code; money
is booked by the budget room in the alliance's ledger. All reckoning stands in files without tables: `models/sharing.py`
(largest remainder, keys by day), `models/days.py`, `models/overhead.py` (step-down), `models/taxes.py` and
`models/reckoning.py` (a whole run); their laws L1 to L10 and VAT1 to VAT4 are tested by number.
"""
