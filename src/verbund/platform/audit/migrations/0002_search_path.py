"""`audit_append` looks for its tables in the body's schema first: a temporary table of the same name must not catch the entry."""

from django.db import migrations

NAME = "audit_append(text, text, text, text, text, text, text, text, text)"
PINNED = f"""
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION {NAME} SET search_path = %I, public, pg_temp', current_schema());
END $$;
"""
BEFORE = f"ALTER FUNCTION {NAME} SET search_path FROM CURRENT;"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(PINNED, BEFORE)]
