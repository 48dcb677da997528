"""The operators' view of the queue: narrow functions that only the alliance's role may call, and the table of the last failures."""

from django.db import migrations

SQL = r"""
CREATE TABLE public.identity_jobfailure (
    job_id bigint PRIMARY KEY REFERENCES public.procrastinate_jobs (id) ON DELETE CASCADE,
    error text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX identity_jobs_failed ON public.procrastinate_jobs (id) WHERE status = 'failed';
CREATE INDEX identity_jobs_retrying ON public.procrastinate_jobs (id) WHERE status = 'todo' AND attempts > 0;

-- The class of the error and nothing of its text: texts may hold personal data of a body.
CREATE FUNCTION public.identity_note_failure(p_job bigint, p_error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('role') <> 'none' THEN
        RAISE insufficient_privilege USING MESSAGE = 'failures are noted by the worker, in no body''s name';
    END IF;
    INSERT INTO identity_jobfailure (job_id, error, at) VALUES (p_job, left(p_error, 200), clock_timestamp())
    ON CONFLICT (job_id) DO UPDATE SET error = excluded.error, at = excluded.at;
END
$$;

CREATE FUNCTION public.identity_operators_only() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM tenancy_body WHERE is_alliance AND 'body_' || schema_name = current_setting('role')
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the queue is the business of the alliance''s operators';
    END IF;
END
$$;

CREATE FUNCTION public.identity_troubled_jobs(p_failed boolean, p_before bigint, p_limit integer)
RETURNS TABLE (
    id bigint, failed boolean, body text, hearer text, event text, attempts integer,
    next_try timestamptz, error text, failed_at timestamptz, request_id text
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM identity_operators_only();
    IF p_failed THEN
        RETURN QUERY
            SELECT j.id, true, coalesce(j.args ->> 'body', ''), coalesce(j.args ->> 'hearer', j.args ->> 'work', j.task_name::text),
                coalesce(j.args ->> 'event', ''), j.attempts, NULL::timestamptz, coalesce(f.error, ''), f.at,
                coalesce(j.args ->> 'request_id', '')
            FROM procrastinate_jobs j LEFT JOIN identity_jobfailure f ON f.job_id = j.id
            WHERE j.status = 'failed' AND (p_before IS NULL OR j.id < p_before)
            ORDER BY j.id DESC LIMIT least(p_limit, 201);
    ELSE
        RETURN QUERY
            SELECT j.id, false, coalesce(j.args ->> 'body', ''), coalesce(j.args ->> 'hearer', j.args ->> 'work', j.task_name::text),
                coalesce(j.args ->> 'event', ''), j.attempts, j.scheduled_at, coalesce(f.error, ''), f.at,
                coalesce(j.args ->> 'request_id', '')
            FROM procrastinate_jobs j LEFT JOIN identity_jobfailure f ON f.job_id = j.id
            WHERE j.status = 'todo' AND j.attempts > 0 AND (p_before IS NULL OR j.id < p_before)
            ORDER BY j.id DESC LIMIT least(p_limit, 201);
    END IF;
END
$$;

CREATE FUNCTION public.identity_queue_depth()
RETURNS TABLE (waiting bigint, running bigint, retrying bigint, failed bigint, oldest timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM identity_operators_only();
    RETURN QUERY SELECT
        (SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND attempts = 0),
        (SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'),
        (SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND attempts > 0),
        (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'),
        (SELECT min(e.at) FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
            WHERE j.status = 'todo' AND j.attempts = 0 AND (j.scheduled_at IS NULL OR j.scheduled_at <= now()));
END
$$;

-- Answers what the job was before; no row: there is no such job any more.
CREATE FUNCTION public.identity_handle_job(p_job bigint, p_action text)
RETURNS TABLE (body text, hearer text, event text, attempts integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    job procrastinate_jobs%ROWTYPE;
BEGIN
    PERFORM identity_operators_only();
    IF p_action NOT IN ('retry', 'discard') THEN
        RAISE invalid_parameter_value USING MESSAGE = 'retry or discard';
    END IF;
    SELECT * INTO job FROM procrastinate_jobs j
    WHERE j.id = p_job AND (j.status = 'failed' OR (j.status = 'todo' AND j.attempts > 0)) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF job.status = 'failed' THEN
        PERFORM procrastinate_retry_job_v2(p_job, now(), NULL, NULL, NULL);
    ELSIF p_action = 'retry' THEN
        UPDATE procrastinate_jobs SET scheduled_at = now() WHERE id = p_job;
    END IF;
    IF p_action = 'discard' THEN
        PERFORM procrastinate_cancel_job_v1(p_job, false, false);
    END IF;
    RETURN QUERY SELECT coalesce(job.args ->> 'body', ''),
        coalesce(job.args ->> 'hearer', job.args ->> 'work', job.task_name::text),
        coalesce(job.args ->> 'event', ''), job.attempts;
END
$$;
"""

UNDO = """
DROP FUNCTION public.identity_handle_job(bigint, text);
DROP FUNCTION public.identity_queue_depth();
DROP FUNCTION public.identity_troubled_jobs(boolean, bigint, integer);
DROP FUNCTION public.identity_operators_only();
DROP FUNCTION public.identity_note_failure(bigint, text);
DROP INDEX public.identity_jobs_retrying;
DROP INDEX public.identity_jobs_failed;
DROP TABLE public.identity_jobfailure;
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_row_walls"), ("procrastinate", "0041_post_retry_failed_job")]
    operations = [migrations.RunSQL(sql=SQL, reverse_sql=UNDO)]
