"""Who sees to a task of the plan of taking over, and a count against two people editing one service."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("membership", "0009_votes")]

    operations = [
        migrations.AddField(model_name="allianceservice", name="version", field=models.PositiveIntegerField(default=1)),
        migrations.AddField(
            model_name="takeovertask",
            name="responsible",
            field=models.CharField(blank=True, max_length=200, default=""),
            preserve_default=False,
        ),
    ]
