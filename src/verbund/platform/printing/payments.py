"""The payment part of a letter (Zahlungsteil) with its GiroCode (EPC069-12)."""

import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import segno
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException
from segno import helpers

_MOST_CENTS = 99_999_999_999  # EPC069-12: at most 999999999.99


@dataclass(frozen=True, slots=True)
class Payment:
    """Payment (Zahlungsaufforderung): what is to be paid, to whom, by when. `cents` in euro cents, more than 0.

    Raises:
        ValueError: for an IBAN or BIC that cannot exist, or an amount out of range; the message names it.
    """

    payee: str
    iban: str
    cents: int
    reference: str
    due_on: date
    bic: str = ""
    bank: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.cents <= _MOST_CENTS:
            raise ValueError(f"amount of {self.cents} cents cannot be asked for")
        if not self.payee.strip():
            raise ValueError("a payment needs a payee")
        try:
            IBAN(self.iban)
            if self.bic:
                BIC(self.bic)
        except SchwiftyException as error:
            raise ValueError(f"{self.iban} {self.bic}".strip() + f": {error}") from error


def in_groups(iban: str) -> str:
    """An IBAN in groups of four, as DIN 5008 writes it."""
    compact = "".join(iban.split())
    return " ".join(compact[at : at + 4] for at in range(0, len(compact), 4))


def girocode(payment: Payment) -> segno.QRCode:
    """The QR code of a SEPA credit transfer (EPC069-12, version 002, UTF-8, error correction M).

    An ISO 11649 creditor reference goes into the structured field, any other reference into the remittance text.
    """
    reference = payment.reference.replace(" ", "")
    structured = reference.startswith("RF") and 4 < len(reference) <= 25
    return helpers.make_epc_qr(
        name=payment.payee[:70],
        iban=str(IBAN(payment.iban).compact),
        amount=Decimal(payment.cents) / 100,
        reference=reference if structured else None,
        text=None if structured else payment.reference[:140],
        bic=payment.bic or None,
        encoding="utf-8",
    )


def girocode_svg(payment: Payment) -> str:
    """The GiroCode as an SVG image without a border."""
    out = io.BytesIO()
    girocode(payment).save(
        out, kind="svg", border=0, xmldecl=False, svgns=True, nl=False, svgclass=None, lineclass=None
    )
    return out.getvalue().decode()
