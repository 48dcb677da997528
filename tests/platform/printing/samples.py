"""Letters short, long, full of tables and full of characters that other programs stumble over."""

from datetime import UTC, date, datetime
from typing import Any

from verbund.platform.printing import Letterhead, Payment, euro

HEAD = Letterhead(
    name="Landkreis Betaland",
    head="Die Landrätin",
    unit="Fachdienst Ordnung und Verkehr",
    street="Putbreite 25",
    postcode="19999",
    city="Musterstadt",
    phone="03999 722-0",
    email="info@betaland.example",
    web="www.betaland.example",
    bank="Beispielbank",
    iban="DE02 1203 0000 0000 2020 51",
    bic="BYLADEM1001",
    hours="Di 8–12, 13–18 Uhr\nDo 8–12, 13–16 Uhr",
    initials="BL",
    accent="#0b5d3b",
)
PAYMENT = Payment(
    payee="Landkreis Betaland",
    iban="DE02120300000000202051",
    bic="BYLADEM1001",
    bank="Beispielbank",
    cents=3570,
    reference="RF18 5390 0754 7034",
    due_on=date(2026, 12, 21),
)
TYPST = [
    '#read("/etc/passwd")',
    '#import "@preview/x:1.0.0": *',
    "*fett* _kursiv_ `roh` $x^2$ = Überschrift",
    "@verweis <marke> #set text(fill: red)",
    "\\ \\n \\u{41} // kein Kommentar /* auch nicht */",
    '"; panic("x") //',
    "]#panic()[ {} () - 1. + / ~ -- --- ... '",
]


def letter(**more: Any) -> dict[str, Any]:
    return {
        "subject": "Bewohnerparkausweis für das Kennzeichen BL-AB 1234",
        "date": date(2026, 11, 21),
        "recipient": ["Frau", "Mārȫa Łukasiewicz-Großmann", "Schloßstraße 12 a", "19998 Nachbarstadt"],
        "remark": "Zustellung im Postfach des Portals",
        "reference": "32.11-2026/000123",
        "your_message": date(2026, 11, 2),
        "contact": {"name": "Jana Beispiel", "unit": "Fachdienst 32", "room": "2.014", "phone": "03999 722-3211"},
        "salutation": "Sehr geehrte Frau Łukasiewicz-Großmann,",
        "paragraphs": ["auf Ihren Antrag erteilen wir Ihnen den Bewohnerparkausweis für die Zone B."],
        "closing": "Mit freundlichen Grüßen",
        "signature": ["Im Auftrag", "Jana Beispiel"],
        "note": "Dieses Schreiben wurde elektronisch erstellt und ist ohne Unterschrift gültig.",
        **more,
    }


def whole() -> dict[str, Any]:
    return letter(
        paragraphs=[
            "Erster Absatz.\n\nZweiter Absatz\nmit zwei Zeilen.",
            {"heading": "Gebühr"},
            {"table": {**FEES, "caption": "Zusammensetzung der Gebühr"}},
            {"facts": [["Kennzeichen", "BL-AB 1234"], ["Zone", "B"]]},
            {"list": ["Ausweis gut lesbar auslegen", "Änderungen mitteilen"]},
        ],
        payment=PAYMENT,
        remedy="Gegen diesen Bescheid kann innerhalb eines Monats nach Bekanntgabe Widerspruch erhoben werden.",
        enclosures=["Bewohnerparkausweis", "Merkblatt"],
    )


FEES = {
    "columns": [
        {"title": "Leistung", "wide": True},
        {"title": "Menge", "align": "right"},
        {"title": "Betrag", "align": "right"},
    ],
    "rows": [
        ["Bewohnerparkausweis, 12 Monate", 1, euro(3070)],
        ["Zweitausfertigung", 1, euro(500)],
        ["Auslagen", None, ""],
    ],
    "total": ["Summe", "", euro(3570)],
}


def long() -> dict[str, Any]:
    text = "Die Verwaltung hat den Sachverhalt geprüft und die Beteiligten angehört. " * 9
    return letter(
        paragraphs=[entry for n in range(1, 15) for entry in ({"heading": f"Abschnitt {n}"}, text)], payment=PAYMENT
    )


def full_of_tables() -> dict[str, Any]:
    rows = [[f"Position {n}\nmit einer zweiten Zeile", n, euro(n * 1234)] for n in range(1, 120)]
    return letter(paragraphs=[{"table": {**FEES, "rows": rows}}, "Zwischentext.", {"table": {**FEES, "total": []}}])


def full_of_oddities() -> dict[str, Any]:
    odd = [
        *TYPST,
        "Ñandú, Łódź, D̂ĵ, ǟ, Ḝ, ĳ, ŉ",
        "😀 и 中 \u0000\u0007\u202e\u200b\ufeff Ende",
        "\u00ad weich\u00adgetrennt",
        "x" * 200,
    ]
    return letter(
        subject=TYPST[0],
        paragraphs=[
            *odd,
            {"list": odd},
            {"facts": [[o, o] for o in odd]},
            {"table": {**FEES, "rows": [[o, 1, o] for o in odd]}},
        ],
        enclosures=odd,
        remedy="\n\n".join(odd),
        note=odd[1],
    )


def bare() -> dict[str, Any]:
    return {"subject": "Nur ein Betreff", "date": date(2026, 1, 2)}


def receipt(**more: Any) -> dict[str, Any]:
    return {
        "subject": "Eingangsbestätigung",
        "date": date(2026, 11, 21),
        "recipient": ["Frau", "Mārȫa Łukasiewicz-Großmann"],
        "number": "7F3K-92QD",
        "received": datetime(2026, 11, 21, 14, 5, tzinfo=UTC),
        "service": "Bewohnerparkausweis",
        "next": ["Wir prüfen Ihren Antrag.", "Sie erhalten eine Nachricht in Ihr Postfach."],
        "sections": [
            {
                "title": "Antragstellende Person",
                "rows": [["Name", "Mārȫa"], ["Anschrift", "Weg 1\n19998 Nachbarstadt"]],
            },
            {"title": "Fahrzeug", "rows": [["Kennzeichen", "BL-AB 1234"], ["Achsen", 2]]},
        ],
        "attachments": [{"name": "Fahrzeugschein.pdf", "size": "1,2 MB", "sha256": "ab" * 32}],
        **more,
    }


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "short": ("printing/letter.typ", letter()),
    "bare": ("printing/letter.typ", bare()),
    "whole": ("printing/letter.typ", whole()),
    "draft": ("printing/letter.typ", {**whole(), "draft": True}),
    "long": ("printing/letter.typ", long()),
    "tables": ("printing/letter.typ", full_of_tables()),
    "oddities": ("printing/letter.typ", full_of_oddities()),
    "receipt": ("printing/receipt.typ", receipt()),
    "receipt-bare": ("printing/receipt.typ", {**bare(), "number": "1"}),
    "receipt-long": (
        "printing/receipt.typ",
        receipt(sections=[{"title": f"Teil {n}", "rows": [[t, t] for t in TYPST]} for n in range(12)]),
    ),
}
