"""The sender of a job is the role that writes it, whatever the caller says; a receiver must be a body of the house."""

from django.db import migrations

BY_ROLE = """
CREATE OR REPLACE FUNCTION public.verbund_defer(job jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    acting text := current_setting('role');
    named text := coalesce(job ->> 'sender', '');
    sender text;
BEGIN
    -- The queue is shared; a body may write into it in its own name only, and read nothing of it. What may go to another
    -- body is said in config/wiring.py, and asked by the worker before it lets anybody hear.
    sender := CASE WHEN acting LIKE 'body\\_%' THEN substr(acting, 6) WHEN acting = 'none' THEN named ELSE '' END;
    IF sender = '' OR named <> sender THEN
        RAISE EXCEPTION 'a job must be written in the name of its sender' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF job ->> 'body' IS DISTINCT FROM sender
       AND NOT EXISTS (SELECT 1 FROM tenancy_body WHERE schema_name = job ->> 'body') THEN
        RAISE EXCEPTION 'a job must be addressed to a body' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN (procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', 'verbund.hear', 0, NULL, NULL, job || jsonb_build_object('sender', sender), NULL)
            ::procrastinate_job_to_defer_v1
    ]))[1];
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION public.verbund_defer(job jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    sender text := coalesce(job ->> 'sender', '');
BEGIN
    IF sender = '' OR current_setting('role') NOT IN ('none', 'body_' || sender) THEN
        RAISE EXCEPTION 'a job must be written in the name of its sender' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN (procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', 'verbund.hear', 0, NULL, NULL, job, NULL)::procrastinate_job_to_defer_v1
    ]))[1];
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0004_blueprint")]
    operations = [migrations.RunSQL(BY_ROLE, BEFORE)]
