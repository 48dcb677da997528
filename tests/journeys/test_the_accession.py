"""The accession over HTTP: a new town joins, begins, and gets its first invoice; every fact read back."""

import json
from typing import TYPE_CHECKING

import psycopg

from verbund.commands.walk.report import Report

from .conftest import Live

if TYPE_CHECKING:
    from verbund.commands.walk.accession.alliance import Alliance

STEPS = 37


def test_a_new_town_joins_all_the_way(joining: "tuple[Live, Alliance]") -> None:
    from verbund.commands.walk.accession import join
    from verbund.commands.walk.site import Site

    live, alliance = joining
    site = Site(alliance.desk, live.port, live.children.mails)
    report = Report(quiet=True)
    try:
        join(alliance, site, report)
    finally:
        site.close()
    assert report.ok
    assert len(report.steps) == STEPS
    assert report.steps[-1].evidence["refused"] == 22
    verified = live.command("verify", "--json")
    assert verified.returncode == 0, verified.stdout
    said = json.loads(verified.stdout)
    assert said["ok"] is True
    assert {body["body"] for body in said["bodies"]} == {"alliance", "alpha", "beta", "neuprobe"}
    # What the pages said, asked of the tables: one receivable of the alliance, one invoice in the town (AL1).
    with psycopg.connect(live.environment["VERBUND_OWNER_DATABASE_URL"]) as connection:
        sent = connection.execute(
            "SELECT i.number, i.gross_cents, c.cents, i.xml_sha256 FROM alliance.budget_outgoinginvoice i"
            " JOIN alliance.budget_claim c ON c.id = i.claim_id WHERE i.buyer = 'Stadt Neuprobe'"
        ).fetchall()
        received = connection.execute(
            "SELECT number, gross_cents, gross_cents, xml_sha256 FROM neuprobe.budget_inboundinvoice"
            " WHERE state = 'valid'"
        ).fetchall()
    assert len(sent) == 1
    assert received == sent
