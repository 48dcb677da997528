"""What is decided stays: a resolved plan and its rows, and what a charge run reckoned with, are refused any change by PostgreSQL."""

from typing import ClassVar

from django.db import migrations

from verbund.platform.tenancy.walls import append_only

PLAN = """
CREATE FUNCTION costsharing_plan_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'resolved' THEN
    RAISE EXCEPTION 'the plan is resolved' USING ERRCODE = 'VB010';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER plan_stays BEFORE UPDATE OR DELETE ON costsharing_businessplan FOR EACH ROW EXECUTE FUNCTION costsharing_plan_stays();

CREATE FUNCTION costsharing_plan_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE plans uuid[] := ARRAY[]::uuid[];
BEGIN
  IF TG_OP <> 'INSERT' THEN plans := plans || OLD.plan_id; END IF;
  IF TG_OP <> 'DELETE' THEN plans := plans || NEW.plan_id; END IF;
  IF EXISTS (SELECT 1 FROM costsharing_businessplan p WHERE p.id = ANY (plans) AND p.state = 'resolved' FOR SHARE) THEN
    RAISE EXCEPTION 'the plan is resolved' USING ERRCODE = 'VB010';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER plan_rows_stay BEFORE INSERT OR UPDATE OR DELETE ON costsharing_planline FOR EACH ROW EXECUTE FUNCTION costsharing_plan_rows_stay();
CREATE TRIGGER plan_rows_stay BEFORE INSERT OR UPDATE OR DELETE ON costsharing_planpost FOR EACH ROW EXECUTE FUNCTION costsharing_plan_rows_stay();
CREATE TRIGGER plan_rows_stay BEFORE INSERT OR UPDATE OR DELETE ON costsharing_planinvestment FOR EACH ROW EXECUTE FUNCTION costsharing_plan_rows_stay();
"""

RUN = """
CREATE FUNCTION costsharing_run_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (OLD.inputs, OLD.inputs_sha256, OLD.kind, OLD.year, OLD.period_start, OLD.period_end, OLD.total_cents)
      IS DISTINCT FROM (NEW.inputs, NEW.inputs_sha256, NEW.kind, NEW.year, NEW.period_start, NEW.period_end, NEW.total_cents) THEN
    RAISE EXCEPTION 'what a run reckoned with stays' USING ERRCODE = 'VB011';
  END IF;
  IF OLD.state IN ('issued', 'discarded') OR (OLD.state = 'released' AND NEW.state <> 'issued') THEN
    RAISE EXCEPTION 'the run is closed' USING ERRCODE = 'VB011';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER run_stays BEFORE UPDATE OR DELETE ON costsharing_chargerun FOR EACH ROW EXECUTE FUNCTION costsharing_run_stays();

CREATE FUNCTION costsharing_lines_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM costsharing_chargerun r WHERE r.id = NEW.run_id AND r.state <> 'proposed') THEN
    RAISE EXCEPTION 'the lines of a run stay' USING ERRCODE = 'VB011';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lines_stay BEFORE INSERT ON costsharing_chargeline FOR EACH ROW EXECUTE FUNCTION costsharing_lines_stay();
"""

FORGET = """
DROP TRIGGER plan_stays ON costsharing_businessplan;
DROP TRIGGER plan_rows_stay ON costsharing_planline;
DROP TRIGGER plan_rows_stay ON costsharing_planpost;
DROP TRIGGER plan_rows_stay ON costsharing_planinvestment;
DROP TRIGGER run_stays ON costsharing_chargerun;
DROP TRIGGER lines_stay ON costsharing_chargeline;
DROP FUNCTION costsharing_plan_stays();
DROP FUNCTION costsharing_plan_rows_stay();
DROP FUNCTION costsharing_run_stays();
DROP FUNCTION costsharing_lines_stay();
"""


TABLES = (
    "costsharing_centrecost",
    "costsharing_tariff",
    "costsharing_keyvalue",
    "costsharing_taxtreatment",
    "costsharing_measure",
    "costsharing_usagereading",
    "costsharing_costitem",
    "costsharing_chargeline",
    "costsharing_scenario",
)


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("costsharing", "0001_initial")]
    operations: ClassVar[list[object]] = [
        migrations.RunSQL(PLAN + RUN, FORGET),
        *(append_only(table) for table in TABLES),
    ]
