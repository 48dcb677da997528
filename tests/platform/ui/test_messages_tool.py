"""The check of the German catalogues finds what is missing, empty, unused and not translatable."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[3] / "tools" / "messages.py"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, looking at a house of its own with one app."""
    spec = importlib.util.spec_from_file_location("messages_tool", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "messages_tool", module)
    spec.loader.exec_module(module)
    source = tmp_path / "src" / "verbund"
    app = source / "modules" / "room"
    (app / "templates" / "room").mkdir(parents=True)
    (app / "apps.py").write_text("")
    for name, value in {"ROOT": tmp_path, "SOURCE": source, "COMMON": app, "COMMANDS": source / "commands"}.items():
        monkeypatch.setattr(module, name, value)
    return module


def page(tool: ModuleType, text: str) -> None:
    (tool.COMMON / "templates" / "room" / "page.html").write_text(text, encoding="utf-8")


def catalogue(tool: ModuleType, text: str) -> None:
    path = tool.catalogue_path(tool.COMMON)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n' + text, encoding="utf-8")


def test_a_complete_catalogue_passes(tool: ModuleType) -> None:
    page(tool, '{% load i18n %}<p>{% translate "Hello" %}</p>')
    catalogue(tool, 'msgid "Hello"\nmsgstr "Hallo"\n')
    assert tool.check(set()) == []


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("", "is missing"),
        ('msgid "Hello"\nmsgstr ""\n', "is not translated"),
        ('#, fuzzy\nmsgid "Hello"\nmsgstr "Hallo"\n', "is marked fuzzy"),
        ('msgid "Hello"\nmsgstr "Hallo"\n\nmsgid "Bye"\nmsgstr "Tschüs"\n', "is used by nobody"),
        ('msgid "Hello"\nmsgstr "Hallo"\n\n#~ msgid "Bye"\n#~ msgstr "Tschüs"\n', "is obsolete"),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_named(tool: ModuleType, entry: str, complaint: str) -> None:
    page(tool, '{% load i18n %}<p>{% translate "Hello" %}</p>')
    catalogue(tool, entry)
    found = tool.check(set())
    assert len(found) == 1
    assert complaint in found[0]


def test_a_translation_keeps_the_placeholders(tool: ModuleType) -> None:
    page(tool, "{% load i18n %}{% blocktranslate with name=x %}For {{ name }}{% endblocktranslate %}")
    catalogue(tool, 'msgid "For %(name)s"\nmsgstr "Für alle"\n')
    assert "placeholders" in tool.check(set())[0]


@pytest.mark.parametrize(
    "text",
    [
        "<p>Guten Tag</p>",
        '<img src="x" alt="A tree">',
        '<button aria-label="Close">×</button>',
        "{% if a %}Nein{% endif %}",
    ],
)
def test_text_that_nobody_can_translate_is_found(tool: ModuleType, text: str) -> None:
    page(tool, text)
    found = tool.check(set())
    assert len(found) == 1
    assert "text that cannot be translated" in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "{# Guten Tag #}",
        "{% comment %}Guten Tag{% endcomment %}",
        "<p>{{ guten_tag }}</p>",
        "<kbd>Enter</kbd>",
        "<p>1. §</p>",
    ],
)
def test_what_is_no_text_is_left_alone(tool: ModuleType, text: str) -> None:
    page(tool, text)
    assert tool.check(set()) == []


def test_messages_are_found_as_django_asks_for_them(tool: ModuleType) -> None:
    page(
        tool,
        "{% load i18n %}"
        '{% translate "100 %" %}{% translate "May" context "month" %}{% include "x.html" with title=_("Title") %}'
        "{% blocktranslate count n=n trimmed %}\n one {{ n }}\n{% plural %}\n many {{ n }}\n{% endblocktranslate %}",
    )
    (tool.COMMON / "views.py").write_text(
        'from x import ngettext, _\n_("Py")\nngettext("%(n)s day", "%(n)s days", 2)\n'
    )
    found = {(m.id, m.plural, m.context) for m in tool.wanted(set())[tool.COMMON].values()}
    assert found == {
        ("100 %%", "", ""),
        ("May", "", "month"),
        ("Title", "", ""),
        ("one %(n)s", "many %(n)s", ""),
        ("Py", "", ""),
        ("%(n)s day", "%(n)s days", ""),
    }


def test_extract_keeps_what_is_translated_and_drops_what_nobody_uses(tool: ModuleType) -> None:
    page(tool, '{% load i18n %}{% translate "Hello" %}{% translate "New" %}')
    catalogue(tool, 'msgid "Hello"\nmsgstr "Hallo"\n\nmsgid "Bye"\nmsgstr "Tschüs"\n')
    assert tool.extract(set()) == [f"{tool.catalogue_path(tool.COMMON).relative_to(tool.ROOT)}: 1 added, 1 dropped"]
    after = tool.read(tool.catalogue_path(tool.COMMON))
    assert after.get("Hello").string == "Hallo"
    assert after.get("New").string == ""
    assert after.get("Bye") is None


def test_compiled_catalogues_are_read_by_gettext(tool: ModuleType) -> None:
    import gettext

    page(tool, '{% load i18n %}{% translate "Hello" %}')
    catalogue(tool, 'msgid "Hello"\nmsgstr "Hallo"\n')
    assert tool.compile_all() == 1
    assert tool.compile_all() == 0
    with tool.catalogue_path(tool.COMMON).with_suffix(".mo").open("rb") as stream:
        assert gettext.GNUTranslations(stream).gettext("Hello") == "Hallo"
