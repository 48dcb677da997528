"""Papers for the demo's files: administrative prose put together from a list of sentences, as text or plain PDF."""

import random
from datetime import date
from typing import Any, Final

from .facts import DemoBody, texts

_WIDTH: Final = 88  # characters of a line in the PDF
_LINES: Final = 46  # lines of a page


class Words:
    """Invented people, streets and sums, always the same for the same seed."""

    def __init__(self, body: DemoBody, seed: str) -> None:
        self.rng = random.Random(f"{body.schema} {seed}")  # noqa: S311 - an example, not a secret
        self.body = body
        self._texts = texts()

    def choose(self, name: str) -> str:
        """One entry of a list of the data file."""
        return str(self.rng.choice(self._texts[name]))

    def person(self) -> str:
        """An invented person."""
        return f"{self.choose('first_names')} {self.choose('last_names')}"

    def fill(self, pattern: str, day: date) -> str:
        """A sentence with its gaps filled."""
        return pattern.format(
            street=self.choose("streets"),
            number=self.rng.randint(2, 148),
            person=self.person(),
            firm=self.choose("firms"),
            day=f"{day:%d.%m.%Y}",
            year=day.year,
            body=self.body.name,
            amount=f"{self.rng.randint(1, 480)}.{self.rng.randint(0, 999):03d},00",
        )

    def paper(self, topic: dict[str, Any], title: str, reference: str, day: date) -> str:
        """The text of a document of `topic`: heading, reference, three to nine sentences."""
        sentences = [self.fill(s, day) for s in self.rng.sample(topic["sentences"], k=min(3, len(topic["sentences"])))]
        while self.rng.random() < 0.55 and len(sentences) < 9:
            sentences.append(self.fill(self.rng.choice(topic["sentences"]), day))
        return "\n".join(
            [
                self.body.name,
                f"{self.body.letterhead['city']}, {day:%d.%m.%Y}",
                "",
                title,
                f"Geschäftszeichen: {reference}",
                "",
                self.fill(self.choose("opening"), day),
                "",
                *sentences,
                "",
                self.fill(self.choose("closing"), day),
                "",
                "Erfundenes Schriftstück zur Vorführung.",
                "",
            ]
        )


def pdf(text: str) -> bytes:
    """A plain PDF 1.4 of the text in Helvetica; letters outside of Windows-1252 become a question mark.

    For papers that "came in": what the house itself writes is set by `platform.printing`.
    """
    lines = [part for line in text.split("\n") for part in (_wrapped(line) or [""])]
    pages = [lines[at : at + _LINES] for at in range(0, len(lines), _LINES)]
    font = 3
    objects: list[bytes] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    kids = []
    for page in pages:
        stream = b"BT /F1 11 Tf 15 TL 62 780 Td\n" + b"".join(b"(%s) Tj T*\n" % _escaped(line) for line in page) + b"ET"
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 %d 0 R>>>>/Contents %d 0 R>>"
            % (font, len(objects))
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), len(kids))
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, entry in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, entry)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _escaped(line: str) -> bytes:
    raw = line.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _wrapped(line: str) -> list[str]:
    rows: list[str] = []
    row = ""
    for word in line.split():
        if row and len(row) + len(word) >= _WIDTH:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}" if row else word
    return [*rows, row] if row else rows
