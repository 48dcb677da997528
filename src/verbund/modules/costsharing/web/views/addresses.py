"""Where the members' invoices go."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.costsharing import queries, services
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.web import forms
from verbund.modules.costsharing.web.frame import entry, page
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import now


@staff_page(Permission.SEE)
def addresses(request: BodyRequest) -> HttpResponse:
    """All members with their addresses for invoices; those without one first."""
    rows = sorted(queries.billing_addresses(request.actor), key=lambda row: row[1] is not None)
    missing = sum(address is None for _party, address in rows)
    may = policy.allows(request.actor, Permission.SET_PRICES)
    return page(request, "addresses", "invoices", rows=rows, missing=missing, may=may)


@staff_page(Permission.SET_PRICES)
def set_address(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """The address of one member."""
    found = next((row for row in queries.billing_addresses(request.actor) if row[0].id == member_id), None)
    if found is None:
        raise Http404
    party, address = found
    names = tuple(forms.AddressForm.base_fields)
    initial = {name: getattr(address, name) for name in names} if address else {}

    def act(data: dict[str, Any]) -> None:
        services.set_address(request.actor, member_id=member_id, now=now(), **data)

    return entry(
        request,
        forms.AddressForm(request.POST or None, initial=initial),
        act,
        current="invoices",
        title=_("Invoices of %(name)s") % {"name": party.name},
        action=_("Save"),
        back=reverse("costsharing:addresses"),
        done=_("The address is saved."),
        text=_("Invoices issued from now on carry it; those that are out stay as they are."),
    )
