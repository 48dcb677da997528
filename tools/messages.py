"""Messages: compile the catalogues, extract what is to be translated, check that the German is complete.

    python tools/messages.py compile            every locale/*/LC_MESSAGES/*.po becomes a .mo (only where it is older)
    python tools/messages.py check [FOLDER …]   exit 1 if a German catalogue lacks a message or a template has own text
    python tools/messages.py extract [FOLDER …] add missing messages to the German catalogues, drop those nobody uses

Works with Babel alone; the gettext programs are not needed. A file belongs to the nearest folder above it that holds an
``apps.py`` or a ``locale`` folder; ``commands`` is such a one, and ``config`` belongs to ``platform/ui``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as BabelMessage
from babel.messages.extract import extract as babel_extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template.base import Lexer, TokenType
from django.utils.text import smart_split
from django.utils.translation import trim_whitespace

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "verbund"
COMMANDS = SOURCE / "commands"
COMMON = SOURCE / "platform" / "ui"
LANGUAGE = "de"
SKIPPED = {"tests", "migrations", "node_modules", "__pycache__"}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
HEADER = b"""msgid ""
msgstr ""
"Language: de\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w*)\}")
WORD = re.compile(r"[^\W\d_]{2,}")
SPOKEN = {"alt", "title", "placeholder", "aria-label", "aria-description", "data-label", "label", "summary"}


@dataclass(frozen=True)
class Message:
    """One message as it stands in the source."""

    id: str
    plural: str = ""
    context: str = ""
    place: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """What a catalogue finds it by."""
        return (self.id, self.context)


# ---- Where the messages are ------------------------------------------------------------------------------------------


def app_of(path: Path) -> Path:
    """The app a file belongs to."""
    for parent in path.parents:
        if parent == SOURCE:
            break
        if (parent / "apps.py").exists() or (parent / "locale").is_dir():
            return parent
    return COMMANDS if path.is_relative_to(COMMANDS) else COMMON


def sources() -> Iterator[Path]:
    """All Python files and templates of the house, tests and migrations left out."""
    for path in sorted(SOURCE.rglob("*")):
        relative = path.relative_to(SOURCE)
        if SKIPPED.intersection(relative.parts[:-1]) or not path.is_file():
            continue
        if path.suffix == ".py" or (path.suffix in {".html", ".txt"} and "templates" in relative.parts):
            yield path


def messages_of(path: Path) -> Iterator[Message]:
    """The messages of one file."""
    if path.suffix == ".py":
        yield from python_messages(path)
    else:
        yield from template_messages(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))


def python_messages(path: Path) -> Iterator[Message]:
    """Messages of a Python file."""
    with path.open("rb") as stream:
        for line, found, _comments, context in babel_extract(
            "python", stream, keywords=KEYWORDS, options={"encoding": "utf-8"}
        ):
            ids = (found,) if isinstance(found, str) else tuple(found)
            place = f"{path.relative_to(ROOT)}:{line}"
            if ids and ids[0]:
                yield Message(ids[0], ids[1] if len(ids) > 1 else "", context or "", place)


LITERAL = re.compile(r"""_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\)""")


def template_messages(text: str, name_of_file: str) -> Iterator[Message]:
    """Messages of a Django template: translate, blocktranslate and _("…") in expressions."""
    block: list[str] | None = None
    plural: list[str] | None = None
    options: list[str] = []
    line = 0
    commented = False
    for token in Lexer(text).tokenize():
        place = f"{name_of_file}:{token.lineno}"
        words = list(smart_split(token.contents)) if token.token_type == TokenType.BLOCK else []
        name = words[0] if words else ""
        if name in {"comment", "endcomment"}:
            commented = name == "comment"
        if commented:
            continue
        if block is not None:
            if name in {"endblocktranslate", "endblocktrans"}:
                yield _block_message(block, plural, options, f"{name_of_file}:{line}")
                block, plural = None, None
            elif name == "plural":
                plural = []
            else:
                target = block if plural is None else plural
                if token.token_type == TokenType.TEXT:
                    target.append(token.contents.replace("%", "%%"))
                elif token.token_type == TokenType.VAR:
                    target.append(f"%({token.contents})s")
            continue
        if name in {"blocktranslate", "blocktrans"}:
            block, plural, options, line = [], None, words[1:], token.lineno or 0
        elif name in {"translate", "trans"} and len(words) > 1 and words[1][0] in "\"'":
            context = _unquoted(words[words.index("context") + 1]) if "context" in words else ""
            yield Message(_unquoted(words[1].split("|")[0]).replace("%", "%%"), "", context, place)
        elif token.token_type in (TokenType.BLOCK, TokenType.VAR):
            for literal in LITERAL.findall(token.contents):
                yield Message(_unquoted(literal).replace("%", "%%"), "", "", place)


def _block_message(block: list[str], plural: list[str] | None, options: list[str], place: str) -> Message:
    trimmed = "trimmed" in options
    context = _unquoted(options[options.index("context") + 1]) if "context" in options else ""
    single, many = "".join(block), "".join(plural or [])
    if trimmed:
        single, many = trim_whitespace(single), trim_whitespace(many)
    return Message(single, many, context, place)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[:1] in "\"'" else text


# ---- Text that nobody can translate ----------------------------------------------------------------------------------


class _Visible(HTMLParser):
    """Collects what a person would read or hear of a template whose tags have been taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = 0
        self.found: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style", "kbd", "code"}:
            self.silent += 1
        for name, value in attrs:
            if name in SPOKEN and value and WORD.search(value):
                self.found.append((self.getpos()[0], f'{name}="{value}"'))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "kbd", "code"}:
            self.silent = max(0, self.silent - 1)

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        for offset, text in enumerate(data.split("\n")):
            if WORD.search(text):
                self.found.append((self.getpos()[0] + offset, text.strip()))


def own_text(text: str) -> list[tuple[int, str]]:
    """Lines of a template with visible text outside of translate and blocktranslate."""

    def blank(match: re.Match[str]) -> str:
        return "\n" * match.group().count("\n")

    text = re.sub(r"\{%\s*comment\b.*?\{%\s*endcomment\s*%\}", blank, text, flags=re.S)
    text = re.sub(r"\{%\s*blocktrans(?:late)?\b.*?\{%\s*endblocktrans(?:late)?\s*%\}", blank, text, flags=re.S)
    text = re.sub(r"\{#.*?#\}", "", text)
    text = re.sub(r"\{%\s*block body_class\b.*?\{%\s*endblock\b.*?%\}", blank, text, flags=re.S)
    text = re.sub(r"\{[%{].*?[%}]\}", blank, text, flags=re.S)
    parser = _Visible()
    parser.feed(text)
    parser.close()
    return [(line, words) for line, words in parser.found if words != "Verbund"]


# ---- Catalogues ------------------------------------------------------------------------------------------------------


def catalogue_path(app: Path) -> Path:
    """The German catalogue of an app."""
    domain = "verbund" if app == COMMANDS else "django"  # the command line speaks before Django is set up
    return app / "locale" / LANGUAGE / "LC_MESSAGES" / f"{domain}.po"


def read(path: Path) -> Catalog:
    """A catalogue, empty if there is none yet."""
    if not path.exists():
        return Catalog(locale=LANGUAGE, charset="utf-8", project="Verbund", fuzzy=False)
    with path.open("rb") as stream:
        return read_po(stream, locale=LANGUAGE, charset="utf-8", abort_invalid=True)


def wanted(apps: set[Path]) -> dict[Path, dict[tuple[str, str], Message]]:
    """The messages of each app, by their key."""
    found: dict[Path, dict[tuple[str, str], Message]] = {}
    for path in sources():
        app = app_of(path)
        if apps and app not in apps:
            continue
        for message in messages_of(path):
            kept = found.setdefault(app, {}).get(message.key)
            if kept is None or (message.plural and not kept.plural):
                found[app][message.key] = message
    return found


def compile_all() -> int:
    """Every catalogue into the form that is read at run time; returns how many were written."""
    written = 0
    for po in sorted(SOURCE.rglob("locale/*/LC_MESSAGES/*.po")):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as stream:
            catalog = read_po(stream, locale=po.parts[-3], charset="utf-8", abort_invalid=True)
        part = mo.with_suffix(".part")
        with part.open("wb") as stream:
            write_mo(stream, catalog)
        part.replace(mo)
        written += 1
    return written


def complaints(app: Path, messages: dict[tuple[str, str], Message]) -> Iterator[str]:
    """What is wrong with the German catalogue of one app."""
    path = catalogue_path(app)
    catalog = read(path)
    name = path.relative_to(ROOT)
    for message in messages.values():
        entry = catalog.get(message.id, message.context or None)
        if entry is None:
            yield f"{message.place}: {message.id!r} is missing in {name}"
            continue
        german = _strings(entry)
        if message.plural and len(german) < 2:
            yield f"{name}: {message.id!r} has no plural"
        if not all(german):
            yield f"{name}: {message.id!r} is not translated"
        elif entry.fuzzy:
            yield f"{name}: {message.id!r} is marked fuzzy"
        else:
            allowed = _placeholders(message.id) | _placeholders(message.plural)
            for text in german:
                if not _placeholders(text) <= allowed or (not message.plural and _placeholders(text) != allowed):
                    yield f"{name}: {message.id!r} and its translation differ in their placeholders"
                    break
    for entry in catalog:
        if entry.id and _key(entry.id, entry.context) not in messages:
            yield f"{name}: {_key(entry.id, None)[0]!r} is used by nobody"
    for (ident, _context), _entry in _obsolete(catalog):
        yield f"{name}: {ident!r} is obsolete"


def _strings(entry: BabelMessage) -> list[str]:
    string = entry.string
    return [str(text) for text in string] if isinstance(string, list | tuple) else [str(string or "")]


def _obsolete(catalog: Catalog) -> Iterable[tuple[tuple[str, str], object]]:
    return [(_key(entry.id, entry.context), entry) for entry in catalog.obsolete.values()]


def _key(ident: object, context: str | None) -> tuple[str, str]:
    return (str(ident[0] if isinstance(ident, list | tuple) else ident), context or "")


def _placeholders(text: str) -> set[str]:
    return {match.group() for match in PLACEHOLDER.finditer(text)}


def check(apps: set[Path]) -> list[str]:
    """Everything that is wrong, one line each."""
    found: list[str] = []
    per_app = wanted(apps)
    catalogued = {path.parents[3] for path in SOURCE.rglob(f"locale/{LANGUAGE}/LC_MESSAGES/*.po")}
    for app in sorted({*per_app, *(a for a in catalogued if not apps or a in apps)}):
        found.extend(complaints(app, per_app.get(app, {})))
    for path in sources():
        if path.suffix == ".py" or (apps and app_of(path) not in apps):
            continue
        for line, text in own_text(path.read_text(encoding="utf-8")):
            found.append(f"{path.relative_to(ROOT)}:{line}: text that cannot be translated: {text[:80]!r}")
    return found


def extract(apps: set[Path]) -> list[str]:
    """Bring the German catalogues up to the source; returns what was changed, one line per app."""
    told: list[str] = []
    for app, messages in sorted(wanted(apps).items()):
        path = catalogue_path(app)
        old = read(path)
        new = Catalog(locale=LANGUAGE, charset="utf-8", project="Verbund", fuzzy=False)
        added = 0
        for message in sorted(messages.values(), key=lambda m: m.key):
            kept = old.get(message.id, message.context or None)
            texts = _strings(kept) if kept is not None else [""]
            added += kept is None
            context = message.context or None
            if message.plural:
                new.add((message.id, message.plural), tuple([*texts, ""][:2]), context=context)
            else:
                new.add(message.id, texts[0], context=context)
        dropped = sum(1 for entry in old if entry.id and _key(entry.id, entry.context) not in messages)
        if not added and not dropped and path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.write(HEADER)
            write_po(stream, new, width=120, omit_header=True, no_location=True)
        told.append(f"{path.relative_to(ROOT)}: {added} added, {dropped} dropped")
    return told


def main(arguments: list[str]) -> int:
    """The command line."""
    if not arguments or arguments[0] not in {"compile", "check", "extract"}:
        print(__doc__)
        return 2
    apps = {(ROOT / a).resolve() for a in arguments[1:]}
    if unknown := [str(a) for a in apps if not a.is_dir()]:
        print(f"no such folder: {', '.join(unknown)}")
        return 2
    if arguments[0] == "compile":
        print(f"{compile_all()} catalogues compiled")
        return 0
    if arguments[0] == "extract":
        print("\n".join(extract(apps)) or "nothing to do")
        return 0
    found = check(apps)
    print("\n".join(found) or "the German catalogues are complete")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
