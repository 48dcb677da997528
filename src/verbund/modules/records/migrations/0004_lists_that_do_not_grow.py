"""Indexes for lists that somebody narrows: to a position, a file, a unit's or one's own deadlines, to a unit with sealed cases.

Foreign keys with which another index begins lose their own, and the cases of nobody stand in no index by person: opening a
case writes no more index entries than before.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0003_words_and_marks"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="case",
            name="case_by_assignee",
        ),
        migrations.AlterField(
            model_name="case",
            name="file",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.file"
            ),
        ),
        migrations.AlterField(
            model_name="case",
            name="position",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="records.fileplanposition",
            ),
        ),
        migrations.AlterField(
            model_name="document",
            name="case",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.case"
            ),
        ),
        migrations.AlterField(
            model_name="documentversion",
            name="document",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.document"
            ),
        ),
        migrations.AlterField(
            model_name="letter",
            name="case",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.case"
            ),
        ),
        # Django takes every index on the column away with its own, the one of this constraint too.
        migrations.RemoveConstraint(model_name="searchentry", name="entry_per_case"),
        migrations.AlterField(
            model_name="searchentry",
            name="case",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.case"
            ),
        ),
        migrations.AddConstraint(
            model_name="searchentry",
            constraint=models.UniqueConstraint(
                fields=["case"], condition=models.Q(document__isnull=True), name="entry_per_case"
            ),
        ),
        migrations.AlterField(
            model_name="timelineentry",
            name="case",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.case"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("assigned_to__isnull", False)),
                fields=["assigned_to", "-opened_at", "-id"],
                name="case_by_person",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("assigned_to__isnull", False)),
                fields=["assigned_to", "file"],
                name="case_by_person_and_file",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("is_sealed", True)),
                fields=["assigned_to", "-opened_at", "-id"],
                name="sealed_case_by_person",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["file", "unit", "-opened_at", "-id"], name="case_by_file_and_unit"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["position", "unit", "-opened_at", "-id"], name="case_by_position_and_unit"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("promised_on__isnull", False), ("state", "open")),
                fields=["unit", "promised_on", "id"],
                name="case_by_unit_deadline",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("assigned_to__isnull", False), ("promised_on__isnull", False), ("state", "open")),
                fields=["assigned_to", "promised_on", "id"],
                name="case_by_person_deadline",
            ),
        ),
    ]
