"""Every address says who may come in."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

# Views of others that cannot carry our mark: (route) -> reason
FOREIGN: dict[str, str] = {}


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, route)
        else:
            yield route, entry


def test_every_route_names_its_policy() -> None:
    routes = dict(_patterns(get_resolver()))
    assert len(routes) > 30
    assert [
        route for route, entry in routes.items() if not getattr(entry.callback, "policy", "") and route not in FOREIGN
    ] == []


def test_policies_are_of_the_five_known_kinds() -> None:
    kinds = {
        str(entry.callback.policy).split(":")[0]
        for _route, entry in _patterns(get_resolver())
        if hasattr(entry.callback, "policy")
    }
    assert kinds <= {"public", "citizen", "staff", "operator", "key"}


def test_a_public_page_gives_its_reason() -> None:
    unexplained = [
        route
        for route, entry in _patterns(get_resolver())
        if (policy := str(getattr(entry.callback, "policy", ""))).startswith("public")
        and len(policy) < len("public: ") + 10
    ]
    assert unexplained == []


def _names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """Every name, with its room before it, as `reverse` takes it."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _names(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)
        elif entry.name:
            yield f"{namespace}{entry.name}"


def test_route_names_are_unique() -> None:
    names = list(_names(get_resolver()))
    assert sorted({name for name in names if names.count(name) > 1}) == []
