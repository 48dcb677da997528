"""No page of the alliance's rooms leads its reader to a refusal: what a role may not open is not offered to it."""

import re
from html import unescape

import pytest

from verbund.platform.identity.roles import Role

from .world import World

STARTS = (
    *(f"/arbeit/{area}/" for area in ("mitglieder", "katalog", "vereinbarungen", "bereitstellung", "beitritte")),
    *(f"/arbeit/{area}/" for area in ("austritte", "traeger", "fristen", "jahr", "klauseln", "verwaltungsrat")),
    "/arbeit/kosten/",
)
LINK = re.compile(r'<a [^>]*href="(/arbeit/[^"#?]*)')
READERS = (
    Role.ALLIANCE_MANAGER,
    Role.AUDITOR,
    Role.BOARD_MEMBER,
    Role.BUDGET_OFFICER,
    Role.COST_CONTROLLER,
    Role.MEMBER_REPRESENTATIVE,
    Role.OPERATOR,
)


@pytest.mark.parametrize("role", READERS, ids=lambda role: role.value)
def test_every_link_of_a_page_opens_for_its_reader(world: World, role: Role) -> None:
    client = world.client("alliance", role.value)
    answers: dict[str, int] = {}
    following: dict[str, str] = {}  # link -> a page on which it stands

    def asked(path: str) -> int:
        if path not in answers:
            answer = client.get(path, follow=True)
            answers[path] = answer.status_code
            if answer.status_code == 200 and "text/html" in answer.headers["Content-Type"]:
                found = {unescape(link) for link in LINK.findall(answer.content.decode())}
                following.update({link: path for link in found if not link.endswith((".pdf", "/abmelden/"))})
        return answers[path]

    shown = [start for start in STARTS if asked(start) == 200]
    refused = [f"{source} -> {link}" for link, source in sorted(following.items()) if asked(link) == 403]
    assert refused == []
    assert len(shown) > 1 or role is Role.BUDGET_OFFICER
