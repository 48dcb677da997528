"""`verbund walk`: drives one application all the way through an instance of its own, and shows the evidence.

The instance is complete: an embedded PostgreSQL of its own, web and worker as processes, files and mail in a folder
that is gone afterwards. Everything after the furnishing happens over HTTP, as citizens and staff would do it in a
browser without scripts.
"""

import argparse
import json
import secrets
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from verbund.commands import installation
from verbund.commands.texts import _

from .instance import Instance
from .report import Report, true
from .visitor import Untrue


def main(argv: Sequence[str]) -> int:
    """`verbund walk [--schema FILE.xdf3.xml … | --accession] [--json] [--keep]`; 0 only if everything is true."""
    parser = argparse.ArgumentParser(prog="verbund walk", description=_("Drive one application all the way."))
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--schema",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.xdf3.xml",
        help=_("the form to walk with; may be given several times; without it the parking permit"),
    )
    ways.add_argument(
        "--accession",
        action="store_true",
        help=_("walk the accession of a new town instead, from its inquiry to its first invoice"),
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object instead of lines"))
    parser.add_argument("--keep", action="store_true", help=_("keep the instance's folder, for a look at its logs"))
    chosen = parser.parse_args(argv)
    for file in chosen.schema:
        if not file.is_file():
            raise installation.Unready(_("There is no file {file}.").format(file=file))
    report = Report(quiet=chosen.json)
    try:
        if chosen.accession:
            walk_accession(report, keep=chosen.keep)
        else:
            walk(report, chosen.schema, keep=chosen.keep)
    except (Untrue, httpx.HTTPError, installation.Unready) as problem:
        if not any(step.problem for step in report.steps):
            raise
        if not chosen.json:
            print(_("NOT TRUE: {problem}").format(problem=problem), file=sys.stderr)
    if chosen.json:
        print(json.dumps(report.values(), ensure_ascii=False, indent=2, default=str))
    elif report.ok:
        print(_("All of it is true ({seconds:.1f} s).").format(seconds=report.values()["seconds"]))
    return 0 if report.ok else 1


def walk(report: Report, schemas: Sequence[Path | None], *, keep: bool = False) -> None:
    """Start an instance, walk once for each schema (without any: the parking permit), check the chains, end it.

    Raises:
        Untrue, httpx.HTTPError, installation.Unready: at the first step that is not true.
    """
    with ExitStack() as stack:
        instance = _started(stack, report, keep=keep)
        from . import town as towns
        from .journey import Walk
        from .site import Site

        with report.step(_("A town is founded and furnished")) as step:
            towns.make_bodies()
            instance.children.start_worker()
            from verbund.commands.body import as_app

            as_app()
            town = towns.furnish(
                towns.TOWN["schema_name"], password=f"Probe-{secrets.token_hex(8)}", now=datetime.now(UTC)
            )
            instance.children.wait()
            step.found(bodies=2, people=len(town.emails), host=town.host)
        site = Site(town, instance.port, instance.children.mails)
        try:
            for schema in schemas or (None,):
                Walk(site, report, schema).run()
        finally:
            site.close()
        _checked(instance, report)


def walk_accession(report: Report, *, keep: bool = False) -> None:
    """Start an instance with an alliance, let a new town join it, check the chains, end it.

    Raises:
        Untrue, httpx.HTTPError, installation.Unready: at the first step that is not true.
    """
    with ExitStack() as stack:
        instance = _started(stack, report, keep=keep)
        from . import town as towns
        from .accession import alliance as alliances
        from .accession import join
        from .site import Site

        with report.step(_("An alliance of three carriers is founded and furnished")) as step:
            alliances.make_body()
            instance.children.start_worker()
            from verbund.commands.body import as_app

            as_app()
            alliance = alliances.furnish(
                towns.ALLIANCE["schema_name"], password=f"Probe-{secrets.token_hex(8)}", now=datetime.now(UTC)
            )
            instance.children.wait()
            step.found(carriers=len(alliances.CARRIERS), people=len(alliance.desk.emails), host=alliance.desk.host)
        site = Site(alliance.desk, instance.port, instance.children.mails)
        try:
            join(alliance, site, report)
        finally:
            site.close()
        _checked(instance, report)


def _started(stack: ExitStack, report: Report, *, keep: bool) -> Instance:
    """An instance with its web process; the worker follows when the bodies are complete."""
    with report.step(_("An instance of its own starts")) as step:
        instance = stack.enter_context(Instance(keep=keep))
        instance.prepare()
        instance.children.start_web()  # while the bodies are made
        step.found(folder=str(instance.var), postgresql=_version(), port=instance.port)
    return instance


def _checked(instance: Instance, report: Report) -> None:
    """What must hold in the end, whatever was walked."""
    with report.step(_("Every hash chain holds, no job and no page has failed")) as step:
        instance.children.check()
        step.found(**verified(), **_jobs())
        errors = instance.children.errors()
        true(not errors, f"the logs tell of errors: {errors[:3]}")


def verified() -> dict[str, object]:
    """What `verbund verify` says of the instance.

    Raises:
        Untrue: a chain is broken, or the command could not do its work.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-m", "verbund.commands.cli", "verify", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    true(done.returncode == 0, f"verbund verify ended with {done.returncode}: {(done.stdout + done.stderr)[-800:]}")
    said = json.loads(done.stdout)
    true(said["ok"] is True, f"verbund verify is not content: {done.stdout[:800]}")
    chains = {f"{body['body']}": len(body["chains"]) for body in said["bodies"]}
    return {"verify": f"{sum(chains.values())} chains of {len(chains)} bodies, {said['seconds']} s"}


def _jobs() -> dict[str, object]:
    from django.db.models import Count
    from procrastinate.contrib.django.models import ProcrastinateJob

    rows = ProcrastinateJob.objects.values_list("status").annotate(number=Count("id")).order_by("status")
    counts: dict[str, int] = dict(rows)
    true(not counts.get("failed"), f"{counts.get('failed')} jobs have failed")
    return {"jobs": ", ".join(f"{status}: {number}" for status, number in counts.items())}


def _version() -> str:
    from django.db import connection

    connection.ensure_connection()
    number: int = connection.connection.info.server_version
    return f"{number // 10000}.{number % 10000}"
