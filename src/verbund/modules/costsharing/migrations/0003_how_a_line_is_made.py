from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """What the quantity of a line is made of, for people; lines of earlier runs do not say it."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("costsharing", "0002_what_is_decided_stays")]
    operations: ClassVar[list[object]] = [
        migrations.AddField(model_name="chargeline", name="charging", field=models.CharField(blank=True, max_length=5)),
        migrations.AddField(model_name="chargeline", name="made_of", field=models.JSONField(default=list)),
    ]
