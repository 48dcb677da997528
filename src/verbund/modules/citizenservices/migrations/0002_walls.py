"""What was asked and answered stays as it was: walls around form versions, code lists and sent applications."""

from django.db import migrations

from verbund.platform.tenancy.walls import append_only

KEEP_APPLICATION = """
CREATE FUNCTION citizenservices_keep_application() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an application is never deleted by a statement' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.answers IS DISTINCT FROM OLD.answers OR NEW.party IS DISTINCT FROM OLD.party
        OR NEW.party_name IS DISTINCT FROM OLD.party_name OR NEW.form_version_id <> OLD.form_version_id
        OR NEW.service_id <> OLD.service_id OR NEW.submitted_at <> OLD.submitted_at
        OR NEW.case_id <> OLD.case_id OR NEW.code_hash <> OLD.code_hash
        OR NEW.draft_digest <> OLD.draft_digest OR NEW.account IS DISTINCT FROM OLD.account THEN
        RAISE EXCEPTION 'what was sent with an application does not change' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.version <= OLD.version THEN
        RAISE EXCEPTION 'a change of an application raises its version' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER citizenservices_application_kept BEFORE UPDATE OR DELETE ON citizenservices_application
    FOR EACH ROW EXECUTE FUNCTION citizenservices_keep_application();
"""
LET_GO = """
DROP TRIGGER citizenservices_application_kept ON citizenservices_application;
DROP FUNCTION citizenservices_keep_application();
"""


class Migration(migrations.Migration):
    dependencies = [("citizenservices", "0001_initial")]

    operations = [
        append_only("citizenservices_formversion"),
        append_only("citizenservices_codelist"),
        append_only("citizenservices_applicationattachment"),
        migrations.RunSQL(KEEP_APPLICATION, LET_GO),
    ]
