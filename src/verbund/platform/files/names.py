"""Names of files (Dateinamen) as people send them."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

LONGEST: Final = 150  # characters; also below 255 bytes of UTF-8, the limit of common file systems
_MOST_BYTES: Final = 240
_DEVICES = re.compile(r"(?i)\A(con|prn|aux|nul|com\d|lpt\d)(?=\.|\Z)")
_UNFIT = re.compile(r'[<>:"|?*]')


@lru_cache(maxsize=256)  # the files that we make have a few names
def clean_filename(name: str) -> str:
    """The name as it is stored and shown: NFC, without folders, control and invisible characters, of limited length.

    The extension survives the shortening. A name of nothing becomes "file".
    """
    name = unicodedata.normalize("NFC", name)
    name = re.split(r"[/\\]", name)[-1]
    # Cc control, Cf format (right-to-left override hides an extension), Cs surrogates, Co private use, Zl and Zp lines
    name = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    name = _UNFIT.sub("_", re.sub(r"\s+", " ", name)).strip(" .")
    name = _DEVICES.sub(r"_\1", name)
    if not name:
        return "file"
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 12 or " " in extension:
        stem, dot, extension = name, "", ""
    while len(stem + dot + extension) > LONGEST or len((stem + dot + extension).encode()) > _MOST_BYTES:
        stem = stem[:-1]
    return f"{stem.rstrip(' .') or 'file'}{dot}{extension}"


def extension_of(name: str) -> str:
    """The extension in lower case with its dot, or ""."""
    stem, dot, extension = clean_filename(name).rpartition(".")
    return f".{extension.lower()}" if dot and stem else ""
