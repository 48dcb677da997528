"""Pages of signing: the signed copy comes in, its check in words, and the certificates that are trusted."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import Trust
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web import forms
from verbund.modules.membership.web.frame import ask, form_page, tell
from verbund.platform import files
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid, NotFound, now
from verbund.platform.ui import notices


@staff_page(Permission.MANAGE_ACCESSIONS)
def record_signed_copy(request: BodyRequest, accession_id: UUID) -> HttpResponse:
    """A signed copy comes in; its signatures are checked before anything is kept."""
    view = queries.accession(request.actor, accession_id)
    final = next((v for v in queries.contract_versions(request.actor, accession_id) if v.version and v.number), None)
    if final is None or final.state == "superseded":
        notices.refused(request, _("No finalised contract lies before the parties. Finalise a version first."))
        return redirect("membership:contract", accession_id)
    form = forms.CopyForm(request.POST or None, request.FILES or None, view=view)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            ref = services.record_signed_copy(
                request.actor,
                accession_id=accession_id,
                content=upload.read(),
                filename=upload.name,
                kind=form.cleaned_data["kind"],
                signatories=form.signatories(),
                now=now(),
            )
        except files.Refused as refusal:
            form.add_error("file", str(refusal.message))
        except NotFound:
            form.add_error(None, _("Another version lies before the parties meanwhile. Have that one signed."))
        except (Conflict, Invalid) as refusal:
            tell(form, refusal)
        else:
            notices.done(request, _told(ref))
            return redirect(reverse("membership:contract", args=[accession_id]) + "#ausfertigungen")
    context = {"accession": view, "final": final, "form": form}
    return render(request, "membership/signed_copy.html", context, status=422 if form.is_bound else 200)


def _told(ref: services.CopyRef) -> str:
    count = len(ref.findings)
    if ref.trust == Trust.NOT_CHECKED:
        return _("The scan is kept. A signature by hand cannot be checked here.")
    if ref.trust == Trust.TRUSTED:
        return ngettext(
            "The copy is kept. %(count)s signature was checked: intact and trusted.",
            "The copy is kept. %(count)s signatures were checked: intact and trusted.",
            count,
        ) % {"count": count}
    return ngettext(
        "The copy is kept. %(count)s signature was checked: intact, but its issuer is not trusted here.",
        "The copy is kept. %(count)s signatures were checked: intact, but an issuer is not trusted here.",
        count,
    ) % {"count": count}


@staff_page(Permission.READ_ACCESSIONS)
@require_safe
def signed_copy(request: BodyRequest, copy_id: UUID) -> HttpResponseBase:
    """A signed copy as it came in."""
    row = queries.signed_copy(request.actor, copy_id)
    return files.download(row.file_sha256, row.filename, "application/pdf")


@staff_page(Permission.MANAGE_TRUST)
def trust_list(request: BodyRequest) -> HttpResponse:
    """The certificates that are trusted, and a further one."""
    return form_page(
        request,
        forms.AnchorForm(request.POST if request.method == "POST" else None),
        lambda data: services.add_trust_anchor(request.actor, now=now(), **data),
        template="trust_list",
        back=reverse("membership:trust_list"),
        done=_("The certificate is trusted from now on."),
        context={"rows": queries.trust_anchors(request.actor), "now": now()},
    )


@staff_page(Permission.MANAGE_TRUST)
def withdraw_trust(request: BodyRequest, anchor_id: UUID) -> HttpResponse:
    """Trust a certificate no more."""
    anchor = queries.trust_anchor(request.actor, anchor_id)
    return ask(
        request,
        lambda: services.withdraw_trust_anchor(request.actor, anchor_id=anchor_id, now=now()),
        title=_("Trust this certificate no more?"),
        text=anchor.name,
        consequences=(
            _("Signatures that are checked from now on and lead to it count as not trusted."),
            _("What was checked before keeps its result."),
        ),
        action=_("Withdraw the certificate"),
        done=_("The certificate is trusted no more."),
        back=reverse("membership:trust_list"),
        danger=True,
    )
