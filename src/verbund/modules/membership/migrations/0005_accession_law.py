"""What PostgreSQL itself keeps of the accessions: acts are never changed, carriers' rows are only closed; and the figures
and tasks an alliance in Mecklenburg-Vorpommern begins with."""

from datetime import UTC, date, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid5

from django.db import migrations

from verbund.platform.tenancy.walls import append_only

_NAMES = UUID("0f3a3c1e-1f0e-4d3b-9a6f-5a5d2f6b7c11")

CLOSE_ONLY = """
CREATE FUNCTION membership_close_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.recorded_until IS NULL AND NEW.recorded_until IS NOT NULL
     AND to_jsonb(NEW) - 'recorded_until' = to_jsonb(OLD) - 'recorded_until' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is append-only: a recorded period is closed once, nothing else changes', TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;
"""


def close_only(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"""
        CREATE TRIGGER {table}_close_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION membership_close_only();
        CREATE TRIGGER {table}_never_truncated BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION public.verbund_refuse_change();
        """,
        reverse_sql=f"DROP TRIGGER {table}_close_only ON {table}; DROP TRIGGER {table}_never_truncated ON {table};",
    )


PARAMETERS = (
    ("clearance_months", 2, date(2011, 9, 5), "§ 77 Abs. 1 KV M-V"),
    ("new_carrier_capital_cents", 50_000, date(2013, 8, 26), "Gründungsvertrag; Bekanntmachung vom 02.07.2021"),
    ("leave_notice_months", 12, date(2013, 8, 26), "Vorgabe bei der Einrichtung; am Vertrag zu prüfen"),
)
TASKS = (
    ("core_it", "Gesamter IT-Betrieb der Kernverwaltung"),
    ("school_it", "Schul-IT"),
    ("procurement", "Zentrale Vergabestelle"),
    ("payroll", "Bezügeabrechnung"),
    ("data_protection_officer", "Behördliche Datenschutzbeauftragte"),
    ("security_officer", "Informationssicherheitsbeauftragte"),
    ("budget", "Haushaltsverfahren"),
    ("records", "Digitale Akte"),
    ("online_services", "Online-Dienste für Bürgerinnen und Bürger"),
    ("telephony", "Telefonie"),
    ("facilities_network", "Netze der Außenstellen"),
)


def seed(apps: Any, editor: Any) -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    parameter = apps.get_model("membership", "LegalParameter")
    for key, value, day, source in PARAMETERS:
        parameter.objects.create(
            id=uuid5(_NAMES, key), key=key, value=value, valid_from=day, source=source, recorded_at=moment
        )
    task = apps.get_model("membership", "TaskKind")
    for code, name in TASKS:
        task.objects.create(code=code, name=name)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("membership", "0004_accessions")]

    operations: ClassVar = [
        migrations.RunSQL(sql=CLOSE_ONLY, reverse_sql="DROP FUNCTION membership_close_only();"),
        close_only("membership_carrierperiod"),
        close_only("membership_sharecapital"),
        *(
            append_only(f"membership_{table}")
            for table in ("inhabitantfigure", "contractdraft", "signature", "publication", "procedureact", "reminder")
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
