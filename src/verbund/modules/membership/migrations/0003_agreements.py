"""The catalogue of services and what is agreed with whom."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("membership", "0002_candidates"),
    ]

    operations = [
        migrations.CreateModel(
            name="AllianceService",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "code",
                    models.CharField(
                        max_length=40,
                        unique=True,
                        validators=[django.core.validators.RegexValidator("^[A-Z0-9][A-Z0-9.-]{0,39}\\Z")],
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ServiceAgreement",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("as_carrier", models.BooleanField()),
                (
                    "quantity_limit",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                ("basis", models.CharField(max_length=300)),
                ("end_reason", models.CharField(blank=True, max_length=300)),
                ("recorded_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="agreements", to="membership.member"
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agreements",
                        to="membership.allianceservice",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["valid_from", "valid_until"], name="membership_agreement_days_idx")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__isnull", True), ("valid_until__gte", models.F("valid_from")), _connector="OR"
                        ),
                        name="membership_agreement_days",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("quantity_limit__isnull", True), ("quantity_limit__gte", 0), _connector="OR"
                        ),
                        name="membership_agreement_limit",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (
                                models.Func(
                                    "member_id",
                                    "service_id",
                                    arg_joiner="::text || ':' || ",
                                    template="int8range(hashtextextended(%(expressions)s::text, 0), hashtextextended(%(expressions)s::text, 0), '[]')",
                                ),
                                "&&",
                            ),
                            (
                                models.Func("valid_from", "valid_until", template="daterange(%(expressions)s, '[]')"),
                                "&&",
                            ),
                        ],
                        name="membership_one_agreement",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceVersion",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(max_length=10000)),
                ("level", models.TextField(blank=True, max_length=4000)),
                (
                    "unit",
                    models.CharField(
                        choices=[
                            ("flat", "flat rate"),
                            ("person", "people with access"),
                            ("workplace", "workplaces"),
                            ("mailbox", "mailboxes"),
                            ("case", "cases"),
                            ("document", "documents"),
                            ("gigabyte", "gigabytes stored"),
                            ("school_client", "school computers"),
                            ("ticket", "requests for help"),
                            ("hour", "hours"),
                            ("payslip", "payslips"),
                            ("inhabitant", "inhabitants"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "price_basis",
                    models.CharField(
                        choices=[
                            ("base_amount", "base amount"),
                            ("tariff", "quantity times tariff"),
                            ("at_cost", "project at cost"),
                            ("pass_through", "passed on at cost"),
                            ("key", "share by a key"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "rooms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), blank=True, default=list, size=None
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="membership.allianceservice",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__isnull", True), ("valid_until__gte", models.F("valid_from")), _connector="OR"
                        ),
                        name="membership_service_days",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (
                                models.Func(
                                    "service_id",
                                    arg_joiner="::text || ':' || ",
                                    template="int8range(hashtextextended(%(expressions)s::text, 0), hashtextextended(%(expressions)s::text, 0), '[]')",
                                ),
                                "&&",
                            ),
                            (
                                models.Func("valid_from", "valid_until", template="daterange(%(expressions)s, '[]')"),
                                "&&",
                            ),
                        ],
                        name="membership_one_service_version",
                    ),
                ],
            },
        ),
    ]
