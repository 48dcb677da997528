"""Kept parts of pages (aufgehobene Seitenteile): what is the same for many pages is made once in a process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.template import Library, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.template.loader_tags import BlockNode
from django.utils.translation import get_language

from verbund.platform.tenancy.shelf import Shelf

register = Library()

SHELF: Final[Shelf[str]] = Shelf(8_000_000)  # characters
_OVERHEAD: Final = 500  # of key and entry, so that many short parts do not count for nothing


class KeptNode(Node):
    """One `{% kept %}` of one template. The node itself is part of the key: no two places share what they keep."""

    def __init__(self, nodelist: NodeList, keys: Sequence[FilterExpression]) -> None:
        self.nodelist = nodelist
        self._keys = tuple(keys)

    def render(self, context: Context) -> str:
        """What is kept under the keys' values and the language, made now if it is not there."""
        given = tuple([key.resolve(context) for key in self._keys])
        # Equal is not enough: a text that is markup already equals one that has yet to be escaped.
        key = (self, get_language(), given, tuple([type(value) for value in given]))
        found = SHELF.get(key)
        if found is None:
            made = self.nodelist.render(context)
            found = SHELF.keep(key, made, len(made) + _OVERHEAD)
        return found


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    """Keep what stands inside: `{% kept ui.body_name form.key %} … {% endkept %}`.

    Everything inside that is not the same for everybody must be told by the keys (plain, hashable values), because
    what was made for one page is shown on the next, whoever asks. A token against forged requests has no place in it.
    What a block of another template may fill has neither.

    Raises:
        TemplateSyntaxError: there is a block inside.
    """
    keys = [parser.compile_filter(bit) for bit in token.split_contents()[1:]]
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    inside: list[Any] = nodelist.get_nodes_by_type(BlockNode)
    if inside:
        raise TemplateSyntaxError("kept parts have no blocks inside: another template may fill them otherwise")
    return KeptNode(nodelist, keys)
