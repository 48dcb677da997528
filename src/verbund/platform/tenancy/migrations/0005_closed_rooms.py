"""Rooms that a body may only read: the row says which, and the body's role loses the right to write their tables.

`verbund_close_rooms` is the alliance's, as `verbund_set_rooms` is. What opens again gets its rights from the blueprint, which says
them table by table; `verbund_keep_closed` stands at the end of them, so that an update gives no right back that was taken.
"""

from django.db import migrations, models

COLUMN = "ALTER TABLE public.tenancy_body ADD COLUMN closed jsonb NOT NULL DEFAULT '{}'"
FUNCTIONS = r"""
CREATE FUNCTION public.verbund_keep_closed(p_schema text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    target text;
BEGIN
    FOR target IN
        SELECT t.tablename FROM tenancy_body b CROSS JOIN LATERAL jsonb_object_keys(b.closed) AS room
          JOIN pg_tables t ON t.schemaname = b.schema_name AND starts_with(t.tablename, room || '_')
         WHERE b.schema_name = p_schema
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %I.%I FROM %I', p_schema, target, 'body_' || p_schema);
    END LOOP;
END $$;

CREATE FUNCTION public.verbund_close_rooms(p_digest text, p_schema text, p_closed jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    by_owner boolean := session_user = current_user AND current_setting('role') = 'none';
    before jsonb;
    plan text;
BEGIN
    IF NOT by_owner AND NOT EXISTS (
        SELECT 1 FROM tenancy_body WHERE is_alliance AND current_setting('role') = 'body_' || schema_name
    ) THEN
        RAISE EXCEPTION 'only the alliance closes rooms' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT closed INTO before FROM tenancy_body WHERE schema_name = p_schema AND NOT is_alliance FOR UPDATE;
    IF NOT FOUND OR before = p_closed THEN
        RETURN false;
    END IF;
    UPDATE tenancy_body SET closed = p_closed WHERE schema_name = p_schema;
    IF EXISTS (SELECT jsonb_object_keys(before) EXCEPT SELECT jsonb_object_keys(p_closed)) THEN
        SELECT rights INTO plan FROM tenancy_blueprint WHERE digest = p_digest;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no blueprint for this release' USING ERRCODE = 'VT001';
        END IF;
        EXECUTE replace(plan, 'verbund_blueprint', p_schema);
    ELSE
        PERFORM verbund_keep_closed(p_schema);
    END IF;
    RETURN true;
END $$;
"""
REVERSE = """
DROP FUNCTION public.verbund_close_rooms(text, text, jsonb);
DROP FUNCTION public.verbund_keep_closed(text);
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0004_sender_by_role")]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(COLUMN, "ALTER TABLE public.tenancy_body DROP COLUMN closed")],
            [migrations.AddField("body", "closed", models.JSONField(blank=True, default=dict))],
        ),
        migrations.RunSQL(FUNCTIONS, REVERSE),
    ]
