"""A column more."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunSQL("ALTER TABLE events_eventreceipt ADD COLUMN note text NOT NULL DEFAULT ''")]
