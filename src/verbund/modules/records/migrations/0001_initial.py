"""The tables of records."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import verbund.platform.tenancy.ids
from verbund.platform.tenancy.walls import append_only


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("files", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=verbund.platform.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("year", models.PositiveSmallIntegerField()),
                ("number", models.PositiveIntegerField()),
                ("title", models.CharField(max_length=300)),
                ("origin", models.CharField(blank=True, max_length=120)),
                ("unit", models.CharField(max_length=40)),
                ("party", models.CharField(blank=True, max_length=300)),
                (
                    "state",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=10),
                ),
                ("is_sealed", models.BooleanField(default=False)),
                ("assigned_to", models.UUIDField(blank=True, null=True)),
                ("assigned_name", models.CharField(blank=True, max_length=200)),
                ("opened_at", models.DateTimeField()),
                ("promised_on", models.DateField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("retention_until", models.DateField(blank=True, null=True)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("documents", models.PositiveIntegerField(default=0)),
                ("revision", models.PositiveIntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name="File",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=verbund.platform.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=300)),
                ("year", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("number", models.PositiveIntegerField(blank=True, null=True)),
                ("opened_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=verbund.platform.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("title", models.CharField(max_length=300)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("application", "Application"),
                            ("attachment", "Attachment"),
                            ("incoming", "Incoming letter"),
                            ("outgoing", "Outgoing letter"),
                            ("decision", "Decision"),
                            ("receipt", "Receipt"),
                            ("memo", "Memo"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("versions", models.PositiveIntegerField(default=1)),
                ("filed_at", models.DateTimeField()),
                ("filed_by", models.CharField(blank=True, max_length=200)),
                ("visible_to_party", models.BooleanField(default=False)),
                (
                    "case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.case"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DocumentVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=verbund.platform.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("size", models.PositiveBigIntegerField()),
                ("media_type", models.CharField(max_length=100)),
                ("filename", models.CharField(max_length=255)),
                ("text", models.TextField(blank=True)),
                ("text_note", models.CharField(blank=True, max_length=40)),
                ("pages", models.PositiveIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(blank=True, max_length=200)),
                ("hash", models.CharField(max_length=64)),
                (
                    "content",
                    models.ForeignKey(
                        db_column="sha256",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="files.storedfile",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.document"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="case",
            name="file",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.file"),
        ),
        migrations.CreateModel(
            name="FilePlanPosition",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=verbund.platform.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        max_length=20,
                        unique=True,
                        validators=[django.core.validators.RegexValidator("^\\d{1,2}(\\.\\d{1,3}){0,4}\\Z")],
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                (
                    "retention_years",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MaxValueValidator(120)]
                    ),
                ),
                (
                    "disposal",
                    models.CharField(
                        blank=True,
                        choices=[("A", "Hand over to the archive"), ("V", "Destroy"), ("B", "The archive appraises")],
                        max_length=1,
                    ),
                ),
                ("metadata_fields", models.JSONField(blank=True, default=list)),
                ("is_valid", models.BooleanField(default=True)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="records.fileplanposition",
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.AddField(
            model_name="file",
            name="position",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.fileplanposition"
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="position",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.fileplanposition"
            ),
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=verbund.platform.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("template", models.CharField(max_length=120)),
                ("recipient", models.JSONField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("issued", "Issued"),
                            ("at_print_room", "At the print room"),
                            ("delivered", "Delivered"),
                        ],
                        default="issued",
                        max_length=15,
                    ),
                ),
                ("issued_at", models.DateTimeField()),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[("portal", "Mailbox in the portal"), ("email", "E-mail"), ("print", "Print and post")],
                        max_length=10,
                    ),
                ),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("deemed_on", models.DateField(blank=True, null=True)),
                ("proof", models.JSONField(blank=True, default=dict)),
                (
                    "case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.case"),
                ),
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.document"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReferenceCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField()),
                ("last", models.PositiveIntegerField(default=0)),
                (
                    "position",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.fileplanposition"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=verbund.platform.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(choices=[("case", "Case"), ("document", "Document")], max_length=10)),
                ("unit", models.CharField(max_length=40)),
                ("is_sealed", models.BooleanField(default=False)),
                ("assigned_to", models.UUIDField(blank=True, null=True)),
                ("year", models.PositiveSmallIntegerField()),
                ("happened_at", models.DateTimeField()),
                ("vector", django.contrib.postgres.search.SearchVectorField()),
                (
                    "case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.case"),
                ),
                (
                    "document",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.document",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TimelineEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=verbund.platform.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Case opened"),
                            ("document_filed", "Document filed"),
                            ("version_added", "New version"),
                            ("letter_issued", "Letter issued"),
                            ("letter_delivered", "Letter delivered"),
                            ("assigned", "Assigned"),
                            ("sealed", "Sealed"),
                            ("unsealed", "Seal removed"),
                            ("closed", "Case closed"),
                            ("note", "Note"),
                        ],
                        max_length=20,
                    ),
                ),
                ("actor_id", models.UUIDField(blank=True, null=True)),
                ("actor_name", models.CharField(blank=True, max_length=200)),
                ("text", models.TextField(blank=True)),
                ("values", models.JSONField(blank=True, default=dict)),
                ("visible_to_party", models.BooleanField(default=False)),
                (
                    "case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.case"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CaseReader",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.UUIDField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="readers", to="records.case"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("person", "case"), name="case_reader_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(fields=("case", "number"), name="document_number_once"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        ["application", "attachment", "incoming", "outgoing", "decision", "receipt", "memo", "other"],
                    )
                ),
                name="document_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="documentversion",
            constraint=models.UniqueConstraint(fields=("document", "number"), name="version_number_once"),
        ),
        migrations.AddConstraint(
            model_name="fileplanposition",
            constraint=models.CheckConstraint(
                condition=models.Q(("retention_years__isnull", True), ("retention_years__lte", 120), _connector="OR"),
                name="position_retention_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="fileplanposition",
            constraint=models.CheckConstraint(
                condition=models.Q(("disposal", ""), ("disposal__in", ["A", "V", "B"]), _connector="OR"),
                name="position_disposal_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="fileplanposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("disposal", ""), ("retention_years__isnull", True)),
                    models.Q(("retention_years__isnull", False), models.Q(("disposal", ""), _negated=True)),
                    _connector="OR",
                ),
                name="position_retention_with_disposal",
            ),
        ),
        migrations.AddIndex(
            model_name="file",
            index=models.Index(fields=["-opened_at", "-id"], name="file_by_date"),
        ),
        migrations.AddConstraint(
            model_name="file",
            constraint=models.UniqueConstraint(fields=("position", "year"), name="one_collecting_file_a_year"),
        ),
        migrations.AddConstraint(
            model_name="file",
            constraint=models.UniqueConstraint(fields=("position", "number"), name="file_number_once"),
        ),
        migrations.AddConstraint(
            model_name="file",
            constraint=models.UniqueConstraint(
                condition=models.Q(("number__isnull", False)), fields=("position", "title"), name="file_title_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="file",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("number__isnull", False), ("year__isnull", True)),
                    models.Q(("number__isnull", True), ("year__isnull", False)),
                    _connector="OR",
                ),
                name="file_by_year_or_subject",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["-opened_at", "-id"], name="case_by_date"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["unit", "-opened_at", "-id"], name="case_by_unit"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["unit", "state", "-opened_at", "-id"], name="case_by_unit_state"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["state", "-opened_at", "-id"], name="case_by_state"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["assigned_to", "-opened_at", "-id"], name="case_by_assignee"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["file", "-opened_at", "-id"], name="case_by_file"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("promised_on__isnull", False), ("state", "open")),
                fields=["promised_on", "id"],
                name="case_by_deadline",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("origin", ""), _negated=True), fields=["origin"], name="case_by_origin"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(fields=("position", "year", "number"), name="case_number_once"),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "closed"])), name="case_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("retention_until__isnull", True), ("state", "open")),
                    models.Q(("closed_at__isnull", False), ("retention_until__isnull", False), ("state", "closed")),
                    _connector="OR",
                ),
                name="case_closed_with_retention",
            ),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(fields=["case", "issued_at"], name="letter_by_case"),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(
                condition=models.Q(("state", "at_print_room")), fields=["issued_at"], name="letter_to_print"
            ),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["issued", "at_print_room", "delivered"])), name="letter_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "delivered"), _negated=True),
                    models.Q(
                        ("deemed_on__isnull", False),
                        ("delivered_at__isnull", False),
                        models.Q(("channel", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="letter_delivered_with_proof",
            ),
        ),
        migrations.AddConstraint(
            model_name="referencecounter",
            constraint=models.UniqueConstraint(fields=("position", "year"), name="counter_per_position_and_year"),
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=["vector"], name="entry_by_word"),
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=models.Index(fields=["case"], name="entry_by_case"),
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=models.Index(fields=["-happened_at", "-id"], name="entry_by_date"),
        ),
        migrations.AddConstraint(
            model_name="searchentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("document__isnull", True)), fields=("case",), name="entry_per_case"
            ),
        ),
        migrations.AddIndex(
            model_name="timelineentry",
            index=models.Index(fields=["case", "at", "id"], name="timeline_by_case"),
        ),
        append_only("records_documentversion"),
        append_only("records_timelineentry"),
    ]
