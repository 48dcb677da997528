"""Walls (Unveränderlichkeit): migration operations that make a table append-only for everybody, its owner included."""

from django.db.migrations.operations import RunSQL


def append_only(table: str) -> RunSQL:
    """A trigger that refuses UPDATE, DELETE and TRUNCATE on `table`, behind the missing privilege of the bodies'
    roles."""
    return RunSQL(
        sql=f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION public.verbund_refuse_change();
        CREATE TRIGGER {table}_never_truncated BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION public.verbund_refuse_change();
        """,
        reverse_sql=f"""
        DROP TRIGGER {table}_append_only ON {table};
        DROP TRIGGER {table}_never_truncated ON {table};
        """,
    )
