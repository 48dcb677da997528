"""A member may be known without a tenant, and may be a school board or an authority."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("membership", "0001_initial")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="member",
            name="schema_name",
            field=models.CharField(blank=True, max_length=48, null=True, unique=True),
        ),
        migrations.AlterField(
            model_name="member",
            name="kind",
            field=models.CharField(
                choices=[
                    ("town", "Town"),
                    ("amt", "Amt"),
                    ("county", "County"),
                    ("independent_city", "City"),
                    ("association", "Special-purpose association"),
                    ("alliance", "IT alliance"),
                    ("school_board", "School board"),
                    ("state_authority", "State authority"),
                ],
                max_length=20,
            ),
        ),
    ]
