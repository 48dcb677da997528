"""A job without a sender is refused: NULL compared with anything is no answer, and must not pass for a yes."""

from django.db import migrations

CHECKED = """
CREATE OR REPLACE FUNCTION public.verbund_defer(job jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    sender text := coalesce(job ->> 'sender', '');
BEGIN
    -- The queue is shared; a body may write into it in its own name only, and read nothing of it.
    IF sender = '' OR current_setting('role') NOT IN ('none', 'body_' || sender) THEN
        RAISE EXCEPTION 'a job must be written in the name of its sender' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN (procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', 'verbund.hear', 0, NULL, NULL, job, NULL)::procrastinate_job_to_defer_v1
    ]))[1];
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION public.verbund_defer(job jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('role') NOT IN ('none', 'body_' || (job ->> 'sender')) THEN
        RAISE EXCEPTION 'a job must be written in the name of its sender' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN (procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', 'verbund.hear', 0, NULL, NULL, job, NULL)::procrastinate_job_to_defer_v1
    ]))[1];
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0002_walls_and_jobs")]
    operations = [migrations.RunSQL(CHECKED, BEFORE)]
