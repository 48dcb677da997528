"""`audit_append_many` writes the entries of a service at once: the lane is taken and moved once, not once for each entry.

What is hashed is what `audit_append` hashes. That stays, for processes of the release before.
"""

from django.db import migrations

LANES = 16
FUNCTION = """
CREATE FUNCTION audit_append_many(
    p_actor_kind text, p_actor_id text, p_actor_name text, p_substitutes text, p_request_id text, p_deeds jsonb
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    l smallint := nullif(current_setting('verbund.audit_lane', true), '')::smallint;
    n bigint;
    prev bytea;
    h bytea;
    t timestamptz;
    d record;
    who text := audit_field(p_actor_kind) || audit_field(p_actor_id) || audit_field(p_actor_name)
        || audit_field(p_substitutes);
BEGIN
    -- A transaction keeps the lane of its first entry; the first entry takes a lane that nobody holds, or waits for one
    -- by chance.
    IF l IS NULL THEN
        SELECT lane, last_no, last_hash INTO l, n, prev
          FROM audit_auditlane ORDER BY lane LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF l IS NULL THEN
            l := floor(random() * %(lanes)s);
        END IF;
        PERFORM set_config('verbund.audit_lane', l::text, true);
    END IF;
    IF n IS NULL THEN
        SELECT last_no, last_hash INTO n, prev FROM audit_auditlane WHERE lane = l FOR UPDATE;
    END IF;
    FOR d IN
        SELECT e ->> 0 AS action, e ->> 1 AS object_type, e ->> 2 AS object_id, e ->> 3 AS changes
          FROM jsonb_array_elements(p_deeds) WITH ORDINALITY AS given (e, place) ORDER BY place
    LOOP
        n := n + 1;
        t := clock_timestamp();
        h := sha256(prev || convert_to(
            audit_field(l::text) || audit_field(n::text)
            || audit_field(to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || who
            || audit_field(d.action) || audit_field(d.object_type) || audit_field(d.object_id)
            || audit_field(p_request_id) || audit_field(d.changes), 'UTF8'));
        INSERT INTO audit_auditentry (lane, lane_no, at, actor_kind, actor_id, actor_name, substitutes, action,
                                      object_type, object_id, request_id, changes, hash_prev, hash)
        VALUES (l, n, t, p_actor_kind, p_actor_id, p_actor_name, p_substitutes, d.action,
                d.object_type, d.object_id, p_request_id, d.changes, prev, h);
        prev := h;
    END LOOP;
    UPDATE audit_auditlane SET last_no = n, last_hash = prev WHERE lane = l;
END $$;
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_append_many(text, text, text, text, text, jsonb)'
                   ' SET search_path = %I, public, pg_temp', current_schema());
END $$;
""".replace("%(lanes)s", str(LANES))
BEFORE = "DROP FUNCTION audit_append_many(text, text, text, text, text, jsonb);"


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_search_path")]
    operations = [migrations.RunSQL(FUNCTION, BEFORE)]
