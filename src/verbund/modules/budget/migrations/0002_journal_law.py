"""The law of the journal, in PostgreSQL: posting, append-only tables, balance, numbers, finance accounts, folding of totals.

`budget_post` runs with the rights of the caller (the body's role): it can do nothing the role may not do, and the triggers hold for
every other way into the tables too. Refusals carry SQLSTATEs of our own (class VB), which the services translate.
"""

from typing import ClassVar

from django.db import migrations

NETSTRING = """
CREATE FUNCTION budget_net(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN t IS NULL THEN '~,' ELSE octet_length(t)::text || ':' || t || ',' END $$
"""

CANONICAL_LINES = """
CREATE FUNCTION budget_canonical_lines(p_voucher uuid) RETURNS text LANGUAGE sql STABLE AS $$
SELECT string_agg(
         budget_net(n.position::text) || budget_net(a.code) || budget_net(p.code) || budget_net(n.debit::text)
         || budget_net(n.credit::text) || budget_net(f.code) || CASE WHEN n.deduction THEN '1:1,' ELSE '1:0,' END
         || budget_net(n.open_item_id::text) || budget_net(n.project) || budget_net(n.cost_center), '' ORDER BY n.position)
  FROM budget_voucherline n
  JOIN budget_account a ON a.id = n.account_id
  LEFT JOIN budget_product p ON p.id = n.product_id
  LEFT JOIN budget_account f ON f.id = n.finance_account_id
 WHERE n.voucher_id = p_voucher
$$
"""

# One call posts any number of vouchers. Locks are taken in one order: years (shared), circles, budget lines, binding lines, open
# items, and the number ranges last, so that a number is held for as short as can be.
POST = """
CREATE FUNCTION budget_post(p_vouchers jsonb, p_funds jsonb)
RETURNS TABLE (r_id uuid, r_no integer, r_hash bytea) LANGUAGE plpgsql AS $$
DECLARE
  f record;
  v record;
  c_year uuid;
  c_series text;
  c_no integer;
  c_hash bytea;
  canon text;
  prev bytea;
BEGIN
  PERFORM 1 FROM budget_fiscalyear y
    WHERE y.id IN (SELECT (x->>'year_id')::uuid FROM jsonb_array_elements(p_vouchers) x) ORDER BY y.id FOR SHARE;
  FOR v IN
    SELECT x->>'posting_date' AS day FROM jsonb_array_elements(p_vouchers) x
      LEFT JOIN budget_fiscalyear y ON y.id = (x->>'year_id')::uuid
     WHERE y.id IS NULL OR y.state <> 'open' OR extract(year FROM (x->>'posting_date')::date) <> y.year
        OR (x->>'posting_date')::date <= y.locked_through
  LOOP
    RAISE EXCEPTION 'period is closed: %', v.day USING ERRCODE = 'VB001';
  END LOOP;

  IF p_funds IS NOT NULL AND jsonb_array_length(p_funds) > 0 THEN
    FOR f IN SELECT (x->>'circle')::uuid AS id, sum((x->>'consumed')::bigint) AS consumed, sum((x->>'open')::bigint) AS open
               FROM jsonb_array_elements(p_funds) x WHERE x->>'circle' IS NOT NULL GROUP BY 1 ORDER BY 1 LOOP
      UPDATE budget_circlebalance b SET consumed = b.consumed + f.consumed, open = b.open + f.open WHERE b.circle_id = f.id;
    END LOOP;
    FOR f IN SELECT (x->>'line')::uuid AS id, sum((x->>'consumed')::bigint) AS consumed, sum((x->>'open')::bigint) AS open
               FROM jsonb_array_elements(p_funds) x GROUP BY 1 ORDER BY 1 LOOP
      UPDATE budget_linebalance b SET consumed = b.consumed + f.consumed, open = b.open + f.open WHERE b.line_id = f.id;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'no balance row for budget line %', f.id USING ERRCODE = 'VB009';
      END IF;
    END LOOP;
    FOR f IN SELECT (x->>'binding')::uuid AS id, (x->>'line')::uuid AS line, sum((x->>'used')::bigint) AS used
               FROM jsonb_array_elements(p_funds) x WHERE x->>'binding' IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 LOOP
      UPDATE budget_bindingline b SET used_cents = b.used_cents + f.used WHERE b.binding_id = f.id AND b.line_id = f.line;
    END LOOP;
    INSERT INTO budget_fundsevent (id, line_id, authorisation, consumed, open, voucher, binding, binding_used, at)
      SELECT (x->>'id')::uuid, (x->>'line')::uuid, 0, (x->>'consumed')::bigint, (x->>'open')::bigint, (x->>'voucher')::uuid,
             (x->>'binding')::uuid, (x->>'used')::bigint, (x->>'at')::timestamptz
        FROM jsonb_array_elements(p_funds) x;
  END IF;

  FOR f IN SELECT (l->>'open_item')::uuid AS id, (l->>'account')::uuid AS account,
                  sum((l->>'debit')::bigint - (l->>'credit')::bigint) AS cents
             FROM jsonb_array_elements(p_vouchers) x, jsonb_array_elements(x->'lines') l
            WHERE l->>'open_item' IS NOT NULL AND x->>'kind' <> 'carry_forward' GROUP BY 1, 2 ORDER BY 1, 2 LOOP
    UPDATE budget_openitem i SET open_cents = i.open_cents + f.cents WHERE i.id = f.id AND i.account_id = f.account;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'open item % is not of this account', f.id USING ERRCODE = 'VB004';
    END IF;
  END LOOP;

  INSERT INTO budget_seriescounter (fiscal_year_id, series, last_no, last_hash)
    SELECT DISTINCT (x->>'year_id')::uuid, x->>'series', 0, decode(repeat('00', 32), 'hex')
      FROM jsonb_array_elements(p_vouchers) x
     WHERE NOT EXISTS (SELECT 1 FROM budget_seriescounter k
                        WHERE k.fiscal_year_id = (x->>'year_id')::uuid AND k.series = x->>'series')
     ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
  PERFORM 1 FROM budget_seriescounter k
    WHERE (k.fiscal_year_id, k.series) IN
          (SELECT (x->>'year_id')::uuid, x->>'series' FROM jsonb_array_elements(p_vouchers) x)
    ORDER BY k.fiscal_year_id, k.series FOR UPDATE;

  FOR v IN SELECT x.j, (x.j->>'id')::uuid AS id, (x.j->>'year_id')::uuid AS year_id, x.j->>'series' AS series
             FROM jsonb_array_elements(p_vouchers) WITH ORDINALITY AS x(j, ord)
            ORDER BY (x.j->>'year_id')::uuid, x.j->>'series', x.ord LOOP
    IF c_year IS DISTINCT FROM v.year_id OR c_series IS DISTINCT FROM v.series THEN
      IF c_year IS NOT NULL THEN
        UPDATE budget_seriescounter k SET last_no = c_no, last_hash = c_hash WHERE k.fiscal_year_id = c_year AND k.series = c_series;
      END IF;
      c_year := v.year_id;
      c_series := v.series;
      SELECT k.last_no, k.last_hash INTO STRICT c_no, c_hash FROM budget_seriescounter k
        WHERE k.fiscal_year_id = c_year AND k.series = c_series;
    END IF;
    INSERT INTO budget_voucherline (voucher_id, position, account_id, product_id, debit, credit, finance_account_id, deduction,
                                    open_item_id, project, cost_center)
      SELECT v.id, l.ord, (l.j->>'account')::uuid, (l.j->>'product')::uuid, (l.j->>'debit')::bigint, (l.j->>'credit')::bigint,
             (l.j->>'finance')::uuid, (l.j->>'deduction')::boolean, (l.j->>'open_item')::uuid, l.j->>'project', l.j->>'cost_center'
        FROM jsonb_array_elements(v.j->'lines') WITH ORDINALITY AS l(j, ord);
    prev := c_hash;
    c_no := c_no + 1;
    SELECT budget_net('verbund-voucher-1') || budget_net(v.id::text) || budget_net(l.code) || budget_net(y.year::text)
           || budget_net(v.series) || budget_net(c_no::text) || budget_net(v.j->>'kind')
           || budget_net((v.j->>'posting_date')::date::text) || budget_net((v.j->>'document_date')::date::text)
           || budget_net(v.j->>'text') || budget_net((v.j->>'reverses')::uuid::text)
           || budget_net(to_char((v.j->>'posted_at')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
           || budget_net(v.j->>'posted_by') || budget_net(jsonb_array_length(v.j->'lines')::text)
           || coalesce(budget_canonical_lines(v.id), '')
      INTO STRICT canon
      FROM budget_fiscalyear y JOIN budget_ledger l ON l.id = y.ledger_id WHERE y.id = v.year_id;
    c_hash := sha256(prev || convert_to(canon, 'UTF8'));
    INSERT INTO budget_voucher (id, ledger_id, fiscal_year_id, series, no, posting_date, document_date, kind, text, reverses_id,
                                line_count, total_cents, posted_at, posted_by, hash_prev, hash)
      SELECT v.id, y.ledger_id, v.year_id, v.series, c_no, (v.j->>'posting_date')::date, (v.j->>'document_date')::date,
             v.j->>'kind', v.j->>'text', (v.j->>'reverses')::uuid, jsonb_array_length(v.j->'lines'),
             (SELECT sum((l->>'debit')::bigint) FROM jsonb_array_elements(v.j->'lines') l),
             (v.j->>'posted_at')::timestamptz, v.j->>'posted_by', prev, c_hash
        FROM budget_fiscalyear y WHERE y.id = v.year_id;
    INSERT INTO budget_unfoldedvoucher (voucher_id) VALUES (v.id);
    r_id := v.id;
    r_no := c_no;
    r_hash := c_hash;
    RETURN NEXT;
  END LOOP;
  IF c_year IS NOT NULL THEN
    UPDATE budget_seriescounter k SET last_no = c_no, last_hash = c_hash WHERE k.fiscal_year_id = c_year AND k.series = c_series;
  END IF;
END $$
"""

FOLD = """
CREATE FUNCTION budget_fold(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  folded uuid[];
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('budget_fold'), hashtext(current_schema()));
  WITH gone AS (
    DELETE FROM budget_unfoldedvoucher u
     WHERE u.voucher_id IN (SELECT w.voucher_id FROM budget_unfoldedvoucher w ORDER BY w.voucher_id LIMIT p_limit)
    RETURNING u.voucher_id)
  SELECT array_agg(gone.voucher_id) INTO folded FROM gone;
  IF folded IS NULL THEN
    RETURN 0;
  END IF;
  INSERT INTO budget_accounttotal AS t (id, fiscal_year_id, account_id, product_id, finance_account_id, month, debit, credit)
    SELECT gen_random_uuid(), v.fiscal_year_id, n.account_id, n.product_id, n.finance_account_id,
           CASE WHEN v.kind IN ('opening', 'carry_forward') THEN 0 ELSE extract(month FROM v.posting_date) END,
           sum(n.debit), sum(n.credit)
      FROM budget_voucherline n JOIN budget_voucher v ON v.id = n.voucher_id
     WHERE n.voucher_id = ANY (folded)
     GROUP BY 2, 3, 4, 5, 6
  ON CONFLICT (fiscal_year_id, account_id, product_id, finance_account_id, month)
    DO UPDATE SET debit = t.debit + excluded.debit, credit = t.credit + excluded.credit;
  RETURN cardinality(folded);
END $$
"""

REFUSE = """
CREATE FUNCTION budget_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal is append-only: % on % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'VB002';
END $$
"""

CHECK_VOUCHER = """
CREATE FUNCTION budget_check_voucher() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  s record;
BEGIN
  SELECT count(*) AS n, sum(n.debit) AS debit, sum(n.credit) AS credit,
         bool_or(a.ledger_id <> NEW.ledger_id) AS foreign_account,
         bool_or(a.closed_from <= NEW.posting_date AND NEW.kind <> 'reversal') AS closed_account,
         bool_or((a.role IN ('receivable', 'payable', 'suspense_in', 'suspense_out')) AND n.open_item_id IS NULL) AS no_item,
         bool_or(CASE
           WHEN a.liquid AND NEW.kind NOT IN ('opening', 'closing', 'carry_forward') THEN
             n.finance_account_id IS NULL OR left(f.code, 1) <>
               CASE WHEN (n.debit > 0) <> n.deduction THEN '6' ELSE '7' END
           ELSE n.finance_account_id IS NOT NULL END) AS wrong_finance,
         bool_or(a.kind IN ('receipt', 'payment')) AS finance_posted
    INTO s
    FROM budget_voucherline n JOIN budget_account a ON a.id = n.account_id LEFT JOIN budget_account f ON f.id = n.finance_account_id
   WHERE n.voucher_id = NEW.id;
  IF s.n <> NEW.line_count OR s.n < 2 OR s.debit IS DISTINCT FROM s.credit OR s.debit IS DISTINCT FROM NEW.total_cents THEN
    RAISE EXCEPTION 'voucher % does not balance', NEW.id USING ERRCODE = 'VB003';
  END IF;
  IF s.foreign_account OR s.finance_posted OR s.closed_account THEN
    RAISE EXCEPTION 'voucher % uses an account that cannot be posted to', NEW.id USING ERRCODE = 'VB005';
  END IF;
  IF s.no_item THEN
    RAISE EXCEPTION 'voucher % touches a control account without an open item', NEW.id USING ERRCODE = 'VB004';
  END IF;
  IF s.wrong_finance THEN
    RAISE EXCEPTION 'voucher % breaks the rule of finance accounts', NEW.id USING ERRCODE = 'VB006';
  END IF;
  IF NEW.no > 1 AND NOT EXISTS (SELECT 1 FROM budget_voucher w WHERE w.fiscal_year_id = NEW.fiscal_year_id
       AND w.series = NEW.series AND w.no = NEW.no - 1 AND w.hash = NEW.hash_prev)
     OR NOT EXISTS (SELECT 1 FROM budget_seriescounter k WHERE k.fiscal_year_id = NEW.fiscal_year_id AND k.series = NEW.series
       AND k.last_no >= NEW.no)
     OR NOT EXISTS (SELECT 1 FROM budget_fiscalyear y WHERE y.id = NEW.fiscal_year_id AND y.ledger_id = NEW.ledger_id
       AND y.year = extract(year FROM NEW.posting_date)) THEN
    RAISE EXCEPTION 'voucher % stands outside its number range', NEW.id USING ERRCODE = 'VB007';
  END IF;
  RETURN NULL;
END $$
"""

CHECK_LINE = """
CREATE FUNCTION budget_check_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF (SELECT count(*) FROM budget_voucherline n WHERE n.voucher_id = NEW.voucher_id)
     IS DISTINCT FROM (SELECT v.line_count::bigint FROM budget_voucher v WHERE v.id = NEW.voucher_id) THEN
    RAISE EXCEPTION 'voucher % is posted: it takes no more lines', NEW.voucher_id USING ERRCODE = 'VB003';
  END IF;
  RETURN NULL;
END $$
"""

ACCOUNT_GUARD = """
CREATE FUNCTION budget_account_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.code <> OLD.code OR NEW.ledger_id <> OLD.ledger_id THEN
    RAISE EXCEPTION 'code and ledger of an account never change' USING ERRCODE = 'VB008';
  END IF;
  IF (NEW.kind, NEW.liquid, NEW.role, NEW.section) IS DISTINCT FROM (OLD.kind, OLD.liquid, OLD.role, OLD.section)
     AND (EXISTS (SELECT 1 FROM budget_voucherline n WHERE n.account_id = OLD.id)
          OR EXISTS (SELECT 1 FROM budget_voucherline n WHERE n.finance_account_id = OLD.id)) THEN
    RAISE EXCEPTION 'account % is used in the journal: it can be closed, not re-classed', OLD.code USING ERRCODE = 'VB008';
  END IF;
  RETURN NEW;
END $$
"""

CODE_GUARD = """
CREATE FUNCTION budget_code_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.code <> OLD.code THEN
    RAISE EXCEPTION 'a code never changes' USING ERRCODE = 'VB008';
  END IF;
  RETURN NEW;
END $$
"""

TRIGGERS = [
    *[
        statement
        for table in ("budget_voucher", "budget_voucherline", "budget_fundsevent")
        for statement in (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION budget_refuse()",
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION budget_refuse()",
        )
    ],
    "CREATE CONSTRAINT TRIGGER budget_voucher_law AFTER INSERT ON budget_voucher DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION budget_check_voucher()",
    "CREATE CONSTRAINT TRIGGER budget_voucherline_law AFTER INSERT ON budget_voucherline DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION budget_check_line()",
    "CREATE TRIGGER budget_account_guard BEFORE UPDATE ON budget_account FOR EACH ROW EXECUTE FUNCTION budget_account_guard()",
    "CREATE TRIGGER budget_ledger_guard BEFORE UPDATE ON budget_ledger FOR EACH ROW EXECUTE FUNCTION budget_code_guard()",
    "CREATE TRIGGER budget_product_guard BEFORE UPDATE ON budget_product FOR EACH ROW EXECUTE FUNCTION budget_code_guard()",
]

# The deferred checks run at commit, whoever the connection is then: they read as the owner, in the schema they were made in.
PIN = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION budget_check_voucher() SET search_path = %I, public, pg_temp', current_schema());
  EXECUTE format('ALTER FUNCTION budget_check_line() SET search_path = %I, public, pg_temp', current_schema());
END $$
"""

FUNCTIONS = [NETSTRING, CANONICAL_LINES, POST, FOLD, REFUSE, CHECK_VOUCHER, CHECK_LINE, ACCOUNT_GUARD, CODE_GUARD, PIN]


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("budget", "0001_initial")]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.RunSQL(statement) for statement in [*FUNCTIONS, *TRIGGERS]
    ]
