"""The operators' page of jobs, on the alliance's host."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from verbund.platform.identity import jobs
from verbund.platform.identity.routes import operator_page
from verbund.platform.ui import notices


@operator_page
def index(request: Any) -> HttpResponse:
    """Jobs that failed for good, or those that wait for another try."""
    failed = request.GET.get("stand") != "warten"
    after = request.GET.get("after", "")
    before = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    return render(
        request,
        "identity/jobs.html",
        {
            "depth": jobs.queue_depth(request.actor),
            "jobs": jobs.troubled_jobs(request.actor, failed=failed, before=before),
            "failed": failed,
        },
    )


@require_POST
@operator_page
def retry(request: Any, job_id: int) -> HttpResponse:
    """Try a job again at once."""
    try:
        jobs.retry_job(request.actor, job_id=job_id)
    except jobs.JobConflict as conflict:
        notices.refused(request, str(conflict.message))
    except jobs.JobNotFound:
        notices.refused(request, _("This job has run or was discarded meanwhile."))
    else:
        notices.done(request, _("The job will be tried again at once."))
    return redirect("jobs")


@operator_page
def discard(request: Any, job_id: int) -> HttpResponse:
    """Give a job up, after asking once."""
    if request.method == "POST":
        try:
            jobs.discard_job(request.actor, job_id=job_id)
        except jobs.JobNotFound:
            notices.refused(request, _("This job has run or was discarded meanwhile."))
        else:
            notices.done(request, _("The job is discarded."))
        return redirect("jobs")
    return render(
        request,
        "ui/confirm.html",
        {
            "base": "ui/console.html",
            "title": _("Discard job %(number)d") % {"number": job_id},
            "text": _(
                "What the job was to do is not done: a message may stay unsent, a step untaken. Tell the body "
                "concerned."
            ),
            "action_url": reverse("job_discard", args=[job_id]),
            "action": _("Discard job"),
            "cancel_url": reverse("jobs"),
            "danger": True,
            "hidden": {},
        },
    )
