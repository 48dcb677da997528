"""Printing (Druck): letters and receipts as PDF/A-2a and PDF/UA-1, set by Typst.

A template `<app>/<name>.typ` lies in the app's `print/` folder and imports `/platform/printing/print/base.typ`. Data
reaches it as values, never as markup. The same template, data and letterhead give the same bytes on every machine.
"""

from .letterheads import Letterhead
from .letters import Attached, Failed, euro, letter
from .payments import Payment, girocode

__all__ = ["Attached", "Failed", "Letterhead", "Payment", "euro", "girocode", "letter"]
