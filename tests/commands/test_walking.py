"""The command `verbund walk` and what it judges by: nothing untrue passes for true."""

import json
from datetime import date
from typing import Any, cast

import pytest
from lxml import html

from verbund.commands import walk
from verbund.commands.walk.accession.days import Days
from verbund.commands.walk.accession.ground import Ground
from verbund.commands.walk.report import Report, true
from verbund.commands.walk.visitor import Page, Untrue
from verbund.modules.membership.models import deemed_clearance


def test_an_untrue_step_ends_the_command_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def walked(report: Report, *, keep: bool) -> None:
        with report.step("A step") as step:
            step.found(number=7)
        with report.step("Another step"):
            true(keep, "it is not as it must be")

    monkeypatch.setattr(walk, "walk_accession", walked)
    assert walk.main(["--accession", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert [step["ok"] for step in told["steps"]] == [True, False]
    assert told["steps"][1]["problem"] == "Untrue: it is not as it must be"
    assert walk.main(["--accession", "--keep", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"][0]["evidence"] == {"number": 7}


def test_one_walk_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        walk.main(["--accession", "--schema", "form.xdf3.xml"])
    assert ended.value.code == 2
    assert "--schema" in capsys.readouterr().err


class _House:
    """Pages by their paths, as a desk of the manager would get them."""

    def __init__(self) -> None:
        self.pages = {"/a/": "offen", "/arbeit/traeger/": "drei", "/arbeit/mitglieder/7/": "Stadt"}

    def get(self, path: str) -> Page:
        return page(f"<main>{self.pages[path]}</main>")


def page(source: str) -> Page:
    return Page("http://x/a/", 200, html.document_fromstring(source), b"", "text/html", {}, 0.0)


@pytest.fixture
def house() -> _House:
    return _House()


@pytest.fixture
def ground(house: _House, monkeypatch: pytest.MonkeyPatch) -> Ground:
    monkeypatch.setattr(Ground, "manager", lambda _self: house)
    monkeypatch.setattr(Ground, "member_id", "7")
    return Ground(cast(Any, None), cast(Any, None), Report(quiet=True), path="/a/")


def refused() -> Page:
    return page("<main><p class='kern-error'>Die Frist läuft noch.</p></main>")


def test_an_attempt_that_is_refused_and_changes_nothing_counts(ground: Ground) -> None:
    ground.refused("too early", refused, because="Frist läuft")
    assert ground.refusals == ["too early"]


@pytest.mark.parametrize("told", ["Erfasst.", "<p class='kern-error'>Pflichtfeld</p>"])
def test_an_attempt_that_is_not_refused_for_this_reason_is_untrue(ground: Ground, told: str) -> None:
    with pytest.raises(Untrue, match="too early"):
        ground.refused("too early", lambda: page(f"<main>{told}</main>"), because="Frist läuft")
    assert ground.refusals == []


@pytest.mark.parametrize("path", ["/a/", "/arbeit/traeger/", "/arbeit/mitglieder/7/"])
def test_a_refusal_that_changes_something_is_untrue(ground: Ground, house: _House, path: str) -> None:
    def sly() -> Page:
        house.pages[path] += " und doch anders"
        return refused()

    with pytest.raises(Untrue, match=f"yet changed.*{path}"):
        ground.refused("too early", sly, because="Frist läuft")
    assert ground.refusals == []


@pytest.mark.parametrize(
    "today", [date(2027, 1, 1), date(2026, 12, 31), date(2028, 2, 29), date(2027, 3, 1), date(2026, 5, 31)]
)
def test_the_days_fit_each_other_on_every_day_of_a_year(today: date) -> None:
    days = Days(today)
    order = [
        days.founding, days.inquiry, days.costs, days.basic_resolution, days.negotiation, days.first_version,
        days.first_consent, days.second_version, days.consents, days.signature, days.notice, days.complete,
    ]  # fmt: skip
    assert order == sorted(order)
    assert len(set(order)) == len(order)
    assert deemed_clearance(days.complete, 2) < today <= days.year_end
