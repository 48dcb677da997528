"""What says that nothing has changed would say it if something had: the refusals of this folder rest upon it."""

from typing import Any

import psycopg
import pytest
from psycopg import sql

from .unchanged import SCHEMAS, TRACES, before, changed, look, state_of, watch
from .world import World


def test_every_table_is_watched(world: World, behind: "psycopg.Connection[Any]") -> None:
    unwatched = behind.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = ANY(%s) AND NOT EXISTS ("
        " SELECT 1 FROM pg_trigger WHERE tgrelid = format('%%I.%%I', schemaname, tablename)::regclass"
        " AND tgname = 'zz_watched')",
        [SCHEMAS],
    ).fetchall()
    assert {name for (name,) in unwatched} == TRACES


def test_what_was_written_is_found_and_what_was_undone_is_not(world: World, behind: "psycopg.Connection[Any]") -> None:
    look(behind)
    assert changed(behind) == []
    behind.execute("UPDATE alpha.records_case SET title = title")
    assert changed(behind) == []  # written to, and nothing is different
    with behind.transaction(force_rollback=True):
        behind.execute("UPDATE alpha.records_case SET title = 'Anders'")
        behind.execute("UPDATE beta.records_case SET title = 'Anders'")
    assert changed(behind) == []
    behind.execute("UPDATE alpha.records_case SET title = 'Anders'")
    assert changed(behind) == ["alpha.records_case"]
    assert changed(behind) == []
    behind.execute("UPDATE public.tenancy_body SET name = name || '!' WHERE schema_name = 'alpha'")
    behind.execute("UPDATE beta.records_case SET title = 'Anders'")
    assert sorted(changed(behind)) == ["beta.records_case", "public.tenancy_body"]


def test_what_the_watch_says_is_what_reading_everything_says(world: World, behind: "psycopg.Connection[Any]") -> None:
    before(behind)
    behind.execute("UPDATE alpha.records_case SET title = 'Noch anders'")
    watched = state_of(behind)
    everything = {}
    for (name,) in behind.execute(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = ANY(%s)", [SCHEMAS]
    ).fetchall():
        if name.partition(".")[2] not in TRACES:
            digest = sql.SQL(
                "SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM {} t"
            ).format(sql.Identifier(*name.split(".")))
            ((everything[name],),) = behind.execute(digest).fetchall()
    assert watched == everything


def test_a_table_that_nobody_watches_is_read_each_time(world: World, behind: "psycopg.Connection[Any]") -> None:
    look(behind)
    behind.execute("CREATE TABLE alpha.unwatched (x int)")
    look(behind)
    behind.execute("INSERT INTO alpha.unwatched VALUES (1)")
    assert changed(behind) == ["alpha.unwatched"]
    with pytest.raises(psycopg.errors.DuplicateSchema):
        watch(behind)
    behind.execute("DROP TABLE alpha.unwatched")
