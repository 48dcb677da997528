"""Parts of pages that are kept: what one person's page said never stands on another's."""

from typing import Any

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation
from django.utils.safestring import SafeString
from lxml import html

from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, current_body
from verbund.platform.ui.templatetags.kept import SHELF


def made(template: Template, **values: object) -> str:
    return template.render(Context(values))


def test_a_part_is_made_once_for_the_same_keys_and_anew_for_others() -> None:
    template = Template("{% load kept %}{% kept name %}{{ name }}: {{ count }}{% endkept %}")
    assert made(template, name="A", count=1) == "A: 1"
    assert made(template, name="A", count=2) == "A: 1"
    assert made(template, name="B", count=3) == "B: 3"


def test_every_language_has_its_own() -> None:
    template = Template("{% load kept %}{% kept %}{{ word }}{% endkept %}")
    with translation.override("de"):
        assert made(template, word="Akte") == "Akte"
    with translation.override("en"):
        assert made(template, word="file") == "file"
    with translation.override("de"):
        assert made(template, word="file") == "Akte"


def test_two_places_with_the_same_keys_do_not_share_what_they_keep() -> None:
    first, second = (Template("{% load kept %}{% kept name %}" + text + "{% endkept %}") for text in ("1", "2"))
    assert (made(first, name="A"), made(second, name="A"), made(first, name="A")) == ("1", "2", "1")


def test_text_and_markup_of_the_same_letters_are_told_apart() -> None:
    template = Template("{% load kept %}{% kept name %}{{ name }}{% endkept %}")
    assert made(template, name=SafeString("<b>A</b>")) == "<b>A</b>"
    assert made(template, name="<b>A</b>") == "&lt;b&gt;A&lt;/b&gt;"


def test_a_key_that_cannot_be_compared_is_an_error_and_not_a_part_for_all() -> None:
    template = Template("{% load kept %}{% kept names %}{{ names }}{% endkept %}")
    with pytest.raises(TypeError, match="unhashable"):
        made(template, names=["A"])


def test_a_part_has_no_blocks_inside() -> None:
    with pytest.raises(TemplateSyntaxError, match="no blocks inside"):
        Template("{% load kept %}{% kept %}{% block title %}A{% endblock title %}{% endkept %}")


def test_what_is_kept_is_bounded() -> None:
    template = Template("{% load kept %}{% kept n %}{{ text }}{% endkept %}")
    for n in range(100):
        made(template, n=n, text="x" * 100_000)
    assert SHELF.held <= SHELF.limit


def frame(actor: Actor, path: str = "/arbeit/akten/") -> str:
    request = RequestFactory().get(path)
    request.actor = actor  # type: ignore[attr-defined]
    return render_to_string("ui/workspace.html", request=request)


def person(name: str, *roles: Role, units: frozenset[str] = frozenset()) -> Actor:
    return Actor(ActorKind.STAFF, None, name, current_body().schema_name, frozenset(roles), units)


def parsed(page: str) -> Any:
    return html.fromstring(page)


def words(page: str) -> str:
    return " ".join(parsed(page).text_content().split())


def test_the_frame_of_one_person_says_nothing_of_another(alpha: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [
        person("Anna <Amsel>", Role.CLERK, units=frozenset({"32"})),
        person("Bernd Bussard", Role.TREASURER, units=frozenset({"20"})),
        person("Anna <Amsel>", Role.BODY_ADMIN),
    ]
    kept = [frame(each) for each in (*people, *people)]
    monkeypatch.setattr(SHELF, "get", lambda _key: None)
    assert [words(page) for page in kept] == [words(frame(each)) for each in (*people, *people)]
    assert "Anna &lt;Amsel&gt;" in kept[0]
    assert "Bernd Bussard" not in kept[0]
    assert "Anna" not in kept[1]


@pytest.mark.usefixtures("_database")
def test_the_frame_of_one_body_says_nothing_of_another() -> None:
    with acting_for("alpha"):
        own = frame(person("Anna Amsel", Role.CLERK))
    with acting_for("beta"):
        other = frame(person("Anna Amsel", Role.CLERK))
    assert "Alphausen" in own
    assert "Alphausen" not in other


def test_the_place_in_the_navigation_is_the_one_of_the_page(alpha: Any) -> None:
    actor = person("Anna Amsel", Role.CLERK)
    at = {
        path: parsed(frame(actor, path)).xpath("//nav//a[@aria-current='page']/@href")[:1]
        for path in ("/arbeit/akten/", "/arbeit/suche/", "/arbeit/akten/")
    }
    assert at == {"/arbeit/akten/": ["/arbeit/akten/"], "/arbeit/suche/": ["/arbeit/suche/"]}


def test_tokens_against_forged_requests_are_never_kept(alpha: Any) -> None:
    actor = person("Anna Amsel", Role.CLERK)
    tokens = [set(parsed(frame(actor)).xpath("//input[@name='csrfmiddlewaretoken']/@value")) for _ in range(2)]
    assert all(len(found) == 1 for found in tokens)
    assert tokens[0] != tokens[1]
