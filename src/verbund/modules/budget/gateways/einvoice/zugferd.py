"""ZUGFeRD: the invoice for people and machines in one file, PDF/A-3 with the CII twin inside.

Typst sets the pages, attaches the XML and writes PDF/A-3a and PDF/UA-1. What it cannot write is the part of the XMP
metadata by which readers know a ZUGFeRD file: it is added here, with the description that PDF/A asks for every
property that is not of its own.
"""

import io
from typing import Any, Final

import pypdf
from lxml import etree
from pypdf.generic import NameObject, StreamObject

FILENAME: Final = "xrechnung.xml"
_FX: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXTENSION: Final = "http://www.aiim.org/pdfa/ns/extension/"
_SCHEMA: Final = "http://www.aiim.org/pdfa/ns/schema#"
_PROPERTY: Final = "http://www.aiim.org/pdfa/ns/property#"
_VALUES: Final = {
    "DocumentFileName": (FILENAME, "name of the embedded XML invoice file"),
    "DocumentType": ("INVOICE", "type of the embedded document"),
    "Version": ("3.0", "version of the standard of the embedded document"),
    "ConformanceLevel": ("XRECHNUNG", "profile of the embedded document"),
}


def hybrid(pdf: bytes) -> bytes:
    """The PDF/A-3 with its embedded invoice, made known as ZUGFeRD; the same bytes for the same PDF."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    writer = pypdf.PdfWriter(clone_from=reader)
    root = writer._root_object  # the catalogue has no public name for writing
    metadata: Any = reader.root_object["/Metadata"]
    packet = metadata.get_object().get_data()
    stream = StreamObject()
    stream.set_data(_known(packet))
    stream[NameObject("/Type")] = NameObject("/Metadata")
    stream[NameObject("/Subtype")] = NameObject("/XML")
    root[NameObject("/Metadata")] = writer._add_object(stream)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def _known(packet: bytes) -> bytes:
    """The XMP packet with the invoice's properties and their description."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    begin, body = packet[: packet.index(b"<x:xmpmeta")], packet[packet.index(b"<x:xmpmeta") :]
    body, end = body[: body.rindex(b"<?xpacket")], body[body.rindex(b"<?xpacket") :]
    meta = etree.fromstring(body, parser)
    rdf = meta.find(f"{{{_RDF}}}RDF")
    bag = meta.find(f".//{{{_EXTENSION}}}schemas/{{{_RDF}}}Bag")
    if rdf is None or bag is None:
        raise ValueError("the PDF has no XMP extension schemas")
    values = etree.SubElement(rdf, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""}, nsmap={"fx": _FX})
    for name, (value, _meaning) in _VALUES.items():
        etree.SubElement(values, f"{{{_FX}}}{name}").text = value
    schema = _item(bag)
    etree.SubElement(schema, f"{{{_SCHEMA}}}schema").text = "ZUGFeRD PDFA Extension Schema"
    etree.SubElement(schema, f"{{{_SCHEMA}}}namespaceURI").text = _FX
    etree.SubElement(schema, f"{{{_SCHEMA}}}prefix").text = "fx"
    properties = etree.SubElement(etree.SubElement(schema, f"{{{_SCHEMA}}}property"), f"{{{_RDF}}}Seq")
    for name, (_value, meaning) in _VALUES.items():
        entry = _item(properties)
        etree.SubElement(entry, f"{{{_PROPERTY}}}name").text = name
        etree.SubElement(entry, f"{{{_PROPERTY}}}valueType").text = "Text"
        etree.SubElement(entry, f"{{{_PROPERTY}}}category").text = "external"
        etree.SubElement(entry, f"{{{_PROPERTY}}}description").text = meaning
    return begin + etree.tostring(meta) + end


def _item(parent: etree._Element) -> etree._Element:
    return etree.SubElement(parent, f"{{{_RDF}}}li", {f"{{{_RDF}}}parseType": "Resource"})
