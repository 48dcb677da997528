from typing import ClassVar

from django.db import migrations, models


def once(model: str, name: str) -> list[object]:
    """A key of the form for a table, and the constraint that there is one row for each."""
    return [
        migrations.AddField(
            model_name=model, name="form", field=models.UUIDField(null=True, blank=True, editable=False)
        ),
        migrations.AddConstraint(
            model_name=model,
            constraint=models.UniqueConstraint(
                fields=["form"], condition=models.Q(form__isnull=False), name=f"costsharing_{name}_once"
            ),
        ),
    ]


class Migration(migrations.Migration):
    """What is sent twice in the very same instant is one row, of tariffs, tax reviews and quantities, too."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("costsharing", "0003_how_a_line_is_made")]
    operations: ClassVar[list[object]] = [
        *once("tariff", "tariff"),
        *once("taxtreatment", "treatment"),
        *once("measure", "measure"),
    ]
