"""The refusal behind every append-only table, and the narrow door through which a body's role writes jobs."""

from django.db import migrations

SQL = """
CREATE FUNCTION public.verbund_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table %.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION public.verbund_defer(job jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- The queue is shared; a body may write into it in its own name only, and read nothing of it.
    IF current_setting('role') NOT IN ('none', 'body_' || (job ->> 'sender')) THEN
        RAISE EXCEPTION 'a job must be written in the name of its sender' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN (procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', 'verbund.hear', 0, NULL, NULL, job, NULL)::procrastinate_job_to_defer_v1
    ]))[1];
END $$;

CREATE FUNCTION public.verbund_set_rooms(p_schema text, p_rooms text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('role') <> 'none' AND NOT EXISTS (
        SELECT 1 FROM tenancy_body WHERE is_alliance AND current_setting('role') = 'body_' || schema_name
    ) THEN
        RAISE EXCEPTION 'only the alliance switches rooms' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE tenancy_body SET rooms = p_rooms WHERE schema_name = p_schema;
END $$;
"""

REVERSE = """
DROP FUNCTION public.verbund_set_rooms(text, text[]);
DROP FUNCTION public.verbund_defer(jsonb);
DROP FUNCTION public.verbund_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_initial"), ("procrastinate", "0041_post_retry_failed_job")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
