"""The cases assigned to somebody at one position of the file plan, for the list that is narrowed to it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0004_lists_that_do_not_grow"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("assigned_to__isnull", False)),
                fields=["assigned_to", "position"],
                name="case_by_person_and_position",
            ),
        ),
    ]
