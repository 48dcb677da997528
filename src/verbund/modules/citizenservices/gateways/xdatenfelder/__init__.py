"""FIM form schemas (Datenschema) in the format XDatenfelder 3.0.0.

No schema (XSD) of the standard is published; the structure was learned from released files. Whatever the reader does
not know is named in the report and kept with the source file, never dropped without a word.
"""

from .reader import MAX_DEPTH, MAX_FIELDS, ReadForm, read_form
from .words import NAMESPACE, BrokenSchema, NotXDatenfelder3

__all__ = ["MAX_DEPTH", "MAX_FIELDS", "NAMESPACE", "BrokenSchema", "NotXDatenfelder3", "ReadForm", "read_form"]
