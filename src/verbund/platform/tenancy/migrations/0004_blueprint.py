"""Blueprints, and the narrow door through which the alliance founds a body without the owner's password.

`verbund_found_body` runs as the owner. The owner itself may call it, and the role of the alliance's body; it runs no SQL but that
of a blueprint, which only the owner can write, in a schema that did not exist. All or nothing: whoever sees the body's row
sees a body that can work.
"""

from django.db import migrations, models

FUNCTION = r"""
CREATE FUNCTION public.verbund_found_body(p_digest text, p_body jsonb, p_hosts text[]) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    by_owner boolean := session_user = current_user AND current_setting('role') = 'none';
    wanted text := coalesce(p_body ->> 'schema_name', '');
    body_id uuid;
    plan tenancy_blueprint;
BEGIN
    IF NOT by_owner AND NOT EXISTS (
        SELECT 1 FROM tenancy_body WHERE is_alliance AND current_setting('role') = 'body_' || schema_name
    ) THEN
        RAISE EXCEPTION 'only the alliance founds bodies' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF wanted !~ '^[a-z][a-z0-9_]{1,46}$' OR wanted ~ '^(pg_|verbund_)' OR wanted IN ('public', 'information_schema') THEN
        RAISE EXCEPTION 'no name for a body''s schema: %', wanted USING ERRCODE = 'invalid_schema_name';
    END IF;
    IF NOT by_owner AND coalesce((p_body ->> 'is_alliance')::boolean, false) THEN
        RAISE EXCEPTION 'an alliance is founded by the owner' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('verbund_found_body'), 0);
    SELECT id INTO body_id FROM tenancy_body WHERE schema_name = wanted;
    IF body_id IS NULL THEN
        IF to_regnamespace(wanted) IS NULL THEN
            SELECT * INTO plan FROM tenancy_blueprint WHERE digest = p_digest;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'there is no blueprint for this release' USING ERRCODE = 'VT001';
            END IF;
            EXECUTE format('CREATE SCHEMA %I', wanted);
            EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', wanted);
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', 'body_' || wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of the cluster has it
            END;
            EXECUTE format('GRANT %I TO verbund_app', 'body_' || wanted);
            PERFORM set_config('search_path', format('%I, public, pg_temp', wanted), true);
            EXECUTE plan.tables;
            INSERT INTO django_migrations (app, name, applied)
                SELECT m ->> 0, m ->> 1, now() FROM jsonb_array_elements(plan.migrations) WITH ORDINALITY AS x (m, no) ORDER BY no;
            PERFORM set_config('search_path', 'public, pg_temp', true);
            EXECUTE replace(plan.rights, 'verbund_blueprint', wanted);
        ELSIF NOT by_owner THEN
            RAISE EXCEPTION 'the schema % exists and is no body''s', wanted USING ERRCODE = 'duplicate_schema';
        END IF;
        body_id := (p_body ->> 'id')::uuid;
        INSERT INTO tenancy_body (id, schema_name, slug, name, kind, ags, ars, is_alliance, rooms, accent_colour, letterhead, created_at)
            SELECT body_id, wanted, b.slug, b.name, b.kind, b.ags, b.ars, b.is_alliance, b.rooms, b.accent_colour, b.letterhead, now()
              FROM jsonb_to_record(p_body) AS b (slug text, name text, kind text, ags text, ars text, is_alliance boolean, rooms text[],
                                                 accent_colour text, letterhead jsonb);
    END IF;
    INSERT INTO tenancy_host (domain, is_primary, tenant_id)
        SELECT h.domain, h.no = 1 AND NOT EXISTS (SELECT 1 FROM tenancy_host o WHERE o.tenant_id = body_id AND o.is_primary), body_id
          FROM unnest(p_hosts) WITH ORDINALITY AS h (domain, no)
        ON CONFLICT (domain) DO NOTHING;
    IF EXISTS (SELECT 1 FROM tenancy_host o WHERE o.domain = ANY (p_hosts) AND o.tenant_id <> body_id) THEN
        RAISE EXCEPTION 'a host name is another body''s' USING ERRCODE = 'VT002';
    END IF;
    RETURN body_id;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0003_sender_is_named")]
    operations = [
        migrations.CreateModel(
            name="Blueprint",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tables", models.TextField()),
                ("rights", models.TextField()),
                ("migrations", models.JSONField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION public.verbund_found_body(text, jsonb, text[]);"),
    ]
