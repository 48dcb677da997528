"""One index answers which words an entry has, whose it is and when it happened (`models.search`).

The function is costly in the eyes of PostgreSQL, as it is: a vector has to be unpacked for it. Without that its planner
reads whole tables where the index answers in milliseconds. Statistics of what it returns would cost as much again as those
of the vector, and tell nothing more.

While this runs, and until its processes are started anew, the release before searches without an index.
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

MAKE = """
CREATE FUNCTION records_findable(
  p_vector tsvector, p_kind text, p_unit text, p_sealed boolean, p_person uuid, p_at timestamptz
) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
DECLARE
  v_day integer := (p_at AT TIME ZONE 'UTC')::date - DATE '2000-01-01';
BEGIN
  RETURN p_vector || array_to_tsvector(array_remove(ARRAY[
    '@k' || p_kind, '@u' || p_unit, '@d' || v_day, '@m' || v_day / 32,
    CASE WHEN p_sealed THEN '@s' END, '@p' || p_person], NULL));
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0002_once_by_form"),
    ]

    operations = [
        migrations.RunSQL(MAKE, "DROP FUNCTION records_findable(tsvector, text, text, boolean, uuid, timestamptz)"),
        migrations.AddIndex(
            model_name="searchentry",
            index=GinIndex(
                models.Func(
                    models.F("vector"),
                    models.F("kind"),
                    models.F("unit"),
                    models.F("is_sealed"),
                    models.F("assigned_to"),
                    models.F("happened_at"),
                    function="records_findable",
                ),
                name="entry_by_word_and_mark",
                fastupdate=False,
            ),
        ),
        migrations.RunSQL("ALTER INDEX entry_by_word_and_mark ALTER COLUMN 1 SET STATISTICS 0", migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="searchentry", name="entry_by_word"),
    ]
