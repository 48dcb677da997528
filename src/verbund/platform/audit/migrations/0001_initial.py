"""Audit entries, their lanes, and the function that chains them."""

from django.db import migrations, models

from verbund.platform.tenancy.walls import append_only

LANES = 16

FUNCTIONS = """
CREATE FUNCTION audit_field(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT octet_length(convert_to(value, 'UTF8')) || ':' || value || ',' $$;

CREATE FUNCTION audit_append(
    p_actor_kind text, p_actor_id text, p_actor_name text, p_substitutes text,
    p_action text, p_object_type text, p_object_id text, p_request_id text, p_changes text
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    l smallint := nullif(current_setting('verbund.audit_lane', true), '')::smallint;
    n bigint;
    prev bytea;
    h bytea;
    t timestamptz := clock_timestamp();
    entry bigint;
BEGIN
    -- A transaction keeps the lane of its first entry; the first entry takes a lane that nobody holds, or waits for one by chance.
    IF l IS NULL THEN
        SELECT lane INTO l FROM audit_auditlane ORDER BY lane LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF l IS NULL THEN
            l := floor(random() * %(lanes)s);
        END IF;
        PERFORM set_config('verbund.audit_lane', l::text, true);
    END IF;
    SELECT last_no + 1, last_hash INTO n, prev FROM audit_auditlane WHERE lane = l FOR UPDATE;
    h := sha256(prev || convert_to(
        audit_field(l::text) || audit_field(n::text)
        || audit_field(to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || audit_field(p_actor_kind) || audit_field(p_actor_id) || audit_field(p_actor_name) || audit_field(p_substitutes)
        || audit_field(p_action) || audit_field(p_object_type) || audit_field(p_object_id) || audit_field(p_request_id)
        || audit_field(p_changes), 'UTF8'));
    INSERT INTO audit_auditentry (lane, lane_no, at, actor_kind, actor_id, actor_name, substitutes, action, object_type,
                                  object_id, request_id, changes, hash_prev, hash)
    VALUES (l, n, t, p_actor_kind, p_actor_id, p_actor_name, p_substitutes, p_action, p_object_type, p_object_id,
            p_request_id, p_changes, prev, h)
    RETURNING id INTO entry;
    UPDATE audit_auditlane SET last_no = n, last_hash = h WHERE lane = l;
    RETURN entry;
END $$;

INSERT INTO audit_auditlane (lane, last_no, last_hash)
SELECT lane, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, %(lanes)s - 1) AS lane;
""".replace("%(lanes)s", str(LANES))


class Migration(migrations.Migration):
    initial = True
    dependencies = [("tenancy", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="AuditLane",
            fields=[
                ("lane", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("last_no", models.BigIntegerField(default=0)),
                ("last_hash", models.BinaryField(default=bytes(32))),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("lane", models.PositiveSmallIntegerField()),
                ("lane_no", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor_id", models.CharField(blank=True, max_length=36)),
                ("actor_name", models.TextField()),
                ("substitutes", models.TextField(blank=True)),
                ("action", models.CharField(max_length=80)),
                ("object_type", models.CharField(max_length=60)),
                ("object_id", models.CharField(max_length=64)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("changes", models.TextField()),
                ("hash_prev", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
                    models.Index(fields=["action", "id"], name="audit_by_action"),
                ],
                "constraints": [models.UniqueConstraint(fields=("lane", "lane_no"), name="audit_entry_once_in_lane")],
            },
        ),
        append_only("audit_auditentry"),
        migrations.RunSQL(
            sql=FUNCTIONS,
            reverse_sql="DROP FUNCTION audit_append(text, text, text, text, text, text, text, text, text);"
            "DROP FUNCTION audit_field(text);",
        ),
    ]
