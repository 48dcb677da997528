"""What stands in a body's schema, and who may found a body: blueprints, `create_body`, `migrate_bodies`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, connections, transaction

from verbund.platform import audit
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import acting_for, blueprints, bodies
from verbund.platform.tenancy.models import Body, Host
from verbund.platform.tenancy.roles import tenant_models

CATALOGUES = {
    "tables": """
        SELECT c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
               pg_get_userbyid(c.relowner), c.reloptions,
               (SELECT array_agg(coalesce(nullif(a.grantee::regrole::text, 'body_' || n.nspname), 'own')
                                 || ' ' || a.privilege_type ORDER BY 1) FROM aclexplode(c.relacl) a)
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s""",
    "columns": """
        SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               a.attgenerated, a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid)
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = to_regnamespace(%s) AND a.attnum > 0""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype, condeferrable, condeferred, convalidated,
               pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = to_regnamespace(%s)""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %s",
    "sequences": """
        SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle FROM pg_sequences
         WHERE schemaname = %s""",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, tgenabled, pg_get_triggerdef(t.oid)
          FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
         WHERE c.relnamespace = to_regnamespace(%s) AND NOT tgisinternal""",
    "functions": """
        SELECT proname, pg_get_functiondef(oid), proowner::regrole::text, proacl::text
          FROM pg_proc WHERE pronamespace = to_regnamespace(%s)""",
    "policies": """
        SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies WHERE schemaname = %s""",
    "types": "SELECT typname, typtype, typowner::regrole::text FROM pg_type WHERE typnamespace = to_regnamespace(%s)",
    "schema": "SELECT nspowner::regrole::text, nspacl::text FROM pg_namespace WHERE nspname = %s",
}
# A role is the cluster's and stays: other tests must not take its name for an unknown one.
NEW = {"slug": "neubau", "name": "Stadt Neubau", "kind": "town"}


@pytest.fixture
def as_owner(cluster: Any, real_database: str) -> Callable[[], AbstractContextManager[None]]:
    """Within, this process is the owner of the tables, as in `verbund migrate`."""

    @contextmanager
    def become() -> Iterator[None]:
        own: Any = connections["default"]
        before = dict(own.settings_dict)
        own.close()
        own.close_pool()
        own.settings_dict.update(cluster.settings(real_database, "verbund_owner"), BODY_ROLES=False)
        own.settings_dict["OPTIONS"] = {k: v for k, v in before["OPTIONS"].items() if k != "pool"}
        own.set_schema_to_public()
        try:
            yield
        finally:
            own.close()
            own.settings_dict.update(before)
            own.set_schema_to_public()

    return become


def catalogues(owner: Any, schema: str) -> dict[str, list[str]]:
    """All that stands in a schema, its own name left out."""
    return {
        what: sorted(
            str(row).replace(schema, "SCHEMA") for row in owner.execute(query.replace("%s", f"'{schema}'")).fetchall()
        )
        for what, query in CATALOGUES.items()
    }


def test_every_constraint_and_index_of_the_models_stands_in_the_schema(alpha: Any) -> None:
    """A change of a field may take a constraint on the same column away without a word (Django's AlterField does)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind = 'i' AND c.relnamespace = 'alpha'::regnamespace"
            " UNION SELECT conname FROM pg_constraint WHERE connamespace = 'alpha'::regnamespace"
        )
        there = {name for (name,) in cursor.fetchall()}
    wanted = {
        f"{model._meta.label}: {named.name}"
        for model in tenant_models()
        for named in [*model._meta.constraints, *model._meta.indexes]
        if named.name not in there
    }
    assert wanted == set()
    assert len(there) > 100


def test_a_body_from_the_blueprint_is_what_the_migrations_make(
    as_owner: Any, owner_connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`beta` was founded from the blueprint; here Django runs the migrations, with everything drawn up anew."""
    monkeypatch.setattr(blueprints, "_without_drawing_anew", nullcontext)
    with as_owner():
        owner_connection.execute("CREATE SCHEMA grown")
        owner_connection.execute("REVOKE ALL ON SCHEMA grown FROM PUBLIC")
        bodies.migrate_body("grown")
    founded, grown = catalogues(owner_connection, "beta"), catalogues(owner_connection, "grown")
    for what in CATALOGUES:
        assert founded[what] == grown[what], what
    assert len(grown["columns"]) > 500
    assert len(grown["triggers"]) > 20
    rows = "SELECT array_agg(app || name ORDER BY app, name) FROM {}.django_migrations"
    assert (
        owner_connection.execute(rows.format("beta")).fetchone()
        == owner_connection.execute(rows.format("grown")).fetchone()
    )
    for model in tenant_models():
        counted = [
            owner_connection.execute(f"SELECT count(*) FROM {schema}.{model._meta.db_table}").fetchone()
            for schema in ("beta", "grown")
        ]
        assert counted[0] == counted[1], model


def test_the_alliance_founds_a_body_that_can_work_at_once(real_database: str, owner_connection: Any) -> None:
    with acting_for("alliance"):
        body = bodies.create_body(schema_name="neubau", hosts=["Neubau.localhost"], rooms=["records"], **NEW)
    assert (body.schema_name, body.rooms, body.is_alliance) == ("neubau", ["records"], False)
    assert list(Host.objects.filter(tenant_id=body.id).values_list("domain", "is_primary")) == [
        ("neubau.localhost", True)
    ]
    with acting_for("neubau"):
        audit.record(Actor.system("neubau", "test"), "test.done", "test", "1")
        assert AuditEntry.objects.count() == 1
        with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM alpha.audit_auditentry")
    founded, other = catalogues(owner_connection, "neubau"), catalogues(owner_connection, "beta")
    assert founded == other


def test_a_founding_that_is_cut_off_leaves_nothing(real_database: str, owner_connection: Any) -> None:
    class CutOffError(Exception):
        pass

    def cut_off() -> None:
        with acting_for("alliance"), transaction.atomic():
            bodies.create_body(schema_name="neubau", hosts=["neubau.localhost"], **NEW)
            raise CutOffError

    with pytest.raises(CutOffError):
        cut_off()
    assert not Body.objects.filter(schema_name="neubau").exists()
    assert owner_connection.execute("SELECT to_regnamespace('neubau')").fetchone() == (None,)
    with acting_for("alliance"):
        bodies.create_body(schema_name="neubau", hosts=["neubau.localhost"], **NEW)
    assert Body.objects.filter(schema_name="neubau").exists()


def test_founding_again_adds_a_host_and_changes_nothing_else(alliance: Any) -> None:
    first = bodies.create_body(schema_name="neubau", hosts=["neubau.localhost"], **NEW)
    again = bodies.create_body(
        schema_name="neubau", hosts=["neubau.localhost", "www.neubau.localhost"], **{**NEW, "name": "X"}
    )
    assert (again.id, again.name) == (first.id, "Stadt Neubau")
    assert list(Host.objects.filter(tenant_id=first.id).order_by("domain").values_list("domain", "is_primary")) == [
        ("neubau.localhost", True),
        ("www.neubau.localhost", False),
    ]


@pytest.mark.parametrize("who", ["alpha", None])
def test_nobody_but_the_alliance_founds_bodies(db: None, who: str | None) -> None:
    """Another body's role is refused, and the login role without a body's role as well."""

    def found() -> None:
        with transaction.atomic():
            bodies.create_body(schema_name="neubau", hosts=["neubau.localhost"], **NEW)

    with pytest.raises(DatabaseError, match="only the alliance"), acting_for(who) if who else nullcontext():
        found()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace('neubau') IS NULL")
        assert cursor.fetchone() == (True,)
    assert not Body.objects.filter(schema_name="neubau").exists()


def test_the_alliance_can_neither_read_nor_write_blueprints_nor_make_a_second_alliance(alliance: Any) -> None:
    for statement in ("SELECT * FROM public.tenancy_blueprint", "UPDATE public.tenancy_blueprint SET tables = ''"):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    with (
        pytest.raises(DatabaseError, match="founded by the owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            'SELECT public.verbund_found_body(%s, \'{"schema_name": "neubau", "is_alliance": true}\', \'{}\')',
            [blueprints.digest()],
        )


@pytest.mark.parametrize(
    "name", ["public", "verbund_blueprint", "information_schema", "Neubau", "neubau; drop", "g" * 60]
)
def test_a_name_that_cannot_be_is_refused_by_the_service_and_by_the_database(alliance: Any, name: str) -> None:
    with pytest.raises(ValidationError):
        bodies.create_body(schema_name=name, hosts=[], **NEW)
    with pytest.raises(DatabaseError, match="no name"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT public.verbund_found_body(%s, jsonb_build_object('schema_name', %s::text), '{}')",
            [blueprints.digest(), name],
        )
    assert Body.objects.count() == 3


def test_a_host_or_a_name_of_another_body_is_refused(alliance: Any) -> None:
    with pytest.raises(bodies.NotFoundable):
        bodies.create_body(schema_name="neubau", hosts=["neubau.localhost", "alpha.localhost"], **NEW)
    assert Host.objects.get(domain="alpha.localhost").tenant.schema_name == "alpha"
    with pytest.raises(ValidationError):
        bodies.create_body(schema_name="neubau", hosts=["neubau.localhost"], **{**NEW, "slug": "alpha"})
    assert Body.objects.count() == 3


def test_without_a_blueprint_of_this_release_the_alliance_waits_and_the_owner_makes_one(
    as_owner: Any, owner_connection: Any
) -> None:
    owner_connection.execute("UPDATE tenancy_blueprint SET digest = 'older'")
    with pytest.raises(bodies.NotFoundable), acting_for("alliance"):
        bodies.create_body(schema_name="neubau", hosts=["neubau.localhost"], **NEW)
    assert owner_connection.execute("SELECT to_regnamespace('neubau')").fetchone() == (None,)
    with as_owner():
        bodies.create_body(schema_name="neubau", hosts=["neubau.localhost"], **NEW)
    assert catalogues(owner_connection, "neubau") == catalogues(owner_connection, "beta")
    kept = owner_connection.execute("SELECT digest FROM tenancy_blueprint ORDER BY made_at").fetchall()
    assert kept == [("older",), (blueprints.digest(),)]
    assert owner_connection.execute("SELECT to_regnamespace('verbund_blueprint')").fetchone() == (None,)


def test_a_migration_is_run_once_and_repeated_in_the_other_bodies_one_by_one(
    as_owner: Any, owner_connection: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that fails is named and keeps what it had; the others go on; the next call goes on where it ended."""
    run: list[str] = []
    by_django = blueprints.run_migrations

    def counted(schema_name: str, verbosity: int = 0) -> None:
        run.append(schema_name)
        by_django(schema_name, verbosity)

    monkeypatch.setattr(blueprints, "run_migrations", counted)
    owner_connection.execute(
        "ALTER TABLE beta.events_eventreceipt ADD COLUMN note integer"
    )  # somebody was here by hand
    with acting_for("alliance"):
        bodies.create_body(schema_name="neubau", hosts=["neubau.localhost"], **NEW)
    settings.MIGRATION_MODULES = {"events": "tests.platform.tenancy.later.migrations"}
    blueprints._loader.cache_clear()
    try:
        with as_owner():
            done = list(bodies.migrate_bodies())
            assert [(m.schema_name, m.migrations, bool(m.error)) for m in done] == [
                ("alliance", 1, False),
                ("alpha", 1, False),
                ("beta", 0, True),
                ("neubau", 1, False),
            ]
            assert "note" in done[2].error
            assert run == ["alliance", "beta"]  # beta, because what was recorded did not fit
            owner_connection.execute("ALTER TABLE beta.events_eventreceipt DROP COLUMN note")
            again = list(bodies.migrate_bodies())
        assert [(m.schema_name, m.migrations, m.error) for m in again] == [
            ("alliance", 0, ""),
            ("alpha", 0, ""),
            ("beta", 1, ""),
            ("neubau", 0, ""),
        ]
    finally:
        blueprints._loader.cache_clear()
    columns = catalogues(owner_connection, "alpha")["columns"]
    assert len([c for c in columns if c.startswith("('events_eventreceipt', 'note'")]) == 1
    assert columns == catalogues(owner_connection, "neubau")["columns"]
    rows = "SELECT array_agg(app || name ORDER BY app, name) FROM {}.django_migrations"
    assert len({str(owner_connection.execute(rows.format(s)).fetchone()) for s in ("alpha", "beta", "neubau")}) == 1
