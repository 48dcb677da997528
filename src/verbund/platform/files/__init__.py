"""Files (Ablage der Inhalte): a content-addressed store per body, and the only way content leaves the house.

`put` takes content in (size, type by content, virus scan), `read` and `open` give it back, `download` answers a request
with headers under which nothing in the content can run. The same content is stored once per body and never shared
between bodies. The rooms keep the names; this store keeps the bytes.
"""

from typing import TYPE_CHECKING, Any

from .names import clean_filename
from .recognition import ANYTHING, DOCUMENTS, WrongType
from .refusals import Empty, Refused, TooLarge
from .scanners import Infected, ScannerUnreachable
from .stores import ContentMissing

if TYPE_CHECKING:  # the model is there only after the apps are loaded
    from .downloads import attachment, download
    from .models import StoredFile
    from .services import Damaged, FileNotFound, discard, open, put, put_many, read, sweep  # noqa: A004 - the door is files.open

_LATE = {
    "StoredFile": "models",
    "attachment": "downloads",
    "download": "downloads",
    **dict.fromkeys(("Damaged", "FileNotFound", "discard", "open", "put", "put_many", "read", "sweep"), "services"),
}

__all__ = [
    "ANYTHING",
    "DOCUMENTS",
    "ContentMissing",
    "Damaged",
    "Empty",
    "FileNotFound",
    "Infected",
    "Refused",
    "ScannerUnreachable",
    "StoredFile",
    "TooLarge",
    "WrongType",
    "attachment",
    "clean_filename",
    "discard",
    "download",
    "open",
    "put",
    "put_many",
    "read",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
