"""What a usual release brings: a column with a default, and an index that fits it."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("records", "0001_initial")]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.RunSQL(
            "ALTER TABLE records_case ADD COLUMN bench_mark varchar(20) NOT NULL DEFAULT ''",
            "ALTER TABLE records_case DROP COLUMN bench_mark",
        ),
        migrations.RunSQL(
            "CREATE INDEX bench_by_mark ON records_case (bench_mark, opened_at DESC) WHERE bench_mark <> ''",
            "DROP INDEX bench_by_mark",
        ),
    ]
