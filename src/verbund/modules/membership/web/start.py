"""What the alliance's procedures say on the start page of the workspace (ADR 0140)."""

from typing import Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from verbund.modules.membership import queries
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.tables import deadline_rows
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest
from verbund.platform.tenancy import current_body, local_date, now

MOST: Final = 5


def next_deadlines(request: BodyRequest) -> SafeString | str:
    """The most urgent deadlines (nächste Fristen), for whoever may see them; "" for all others."""
    if not current_body().is_alliance or not policy.allows(request.actor, Permission.READ_ACCESSIONS):
        return ""
    found = queries.deadlines_ahead(request.actor, today=local_date(now()))
    context = {"rows": deadline_rows(found[:MOST]), "shown": min(len(found), MOST), "all": len(found)}
    return render_to_string("membership/next_deadlines.html", context)
