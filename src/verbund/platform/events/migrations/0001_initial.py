"""Receipts of events."""

from django.db import migrations, models

from verbund.platform.tenancy.walls import append_only


class Migration(migrations.Migration):
    initial = True
    dependencies = [("tenancy", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="EventReceipt",
            fields=[
                ("key", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        append_only("events_eventreceipt"),
    ]
