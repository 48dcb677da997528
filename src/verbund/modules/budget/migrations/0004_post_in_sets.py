"""`budget_post` writes in sets and holds its hot rows for the last few statements only; a line is checked by one look-up.

The order of the locks: years (shared), binding lines, open items, circles, budget lines, number ranges. Everything that many
postings want at once - a circle's sums, a line's sums, the number range - comes last, after the lines are written and what is to
be hashed of them is put together.

Plans are kept: every look-up is by key, and planning these statements anew for each call would cost more than running them.

Foreign keys that a unique constraint begins with lose their own index: every row of the journal paid for them, and a planner
without statistics took the one on the year for the way to a voucher's predecessor.
"""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

POST = """
CREATE OR REPLACE FUNCTION budget_post(p_vouchers jsonb, p_funds jsonb)
RETURNS TABLE (r_id uuid, r_no integer, r_hash bytea) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  f record;
  ords bigint[];
  ids uuid[];
  of_years uuid[];
  of_series text[];
  heads text[];
  tails text[];
  takes boolean;
  nos integer[];
  prevs bytea[];
  hashes bytea[];
  c_year uuid;
  c_series text;
  c_no integer;
  c_hash bytea;
BEGIN
  PERFORM 1 FROM budget_fiscalyear y
    WHERE y.id = ANY (ARRAY(SELECT (x->>'year_id')::uuid FROM jsonb_array_elements(p_vouchers) x)) ORDER BY y.id FOR SHARE;

  INSERT INTO budget_voucherline (voucher_id, position, account_id, product_id, debit, credit, finance_account_id, deduction,
                                  open_item_id, project, cost_center)
    SELECT (x->>'id')::uuid, n.ord, n.account, n.product, n.debit, n.credit, n.finance, n.deduction, n.open_item, n.project,
           n.cost_center
      FROM jsonb_array_elements(p_vouchers) x,
           ROWS FROM (jsonb_to_recordset(x->'lines') AS (account uuid, product uuid, debit bigint, credit bigint, finance uuid,
                      deduction boolean, open_item uuid, project text, cost_center text))
           WITH ORDINALITY AS n (account, product, debit, credit, finance, deduction, open_item, project, cost_center, ord);

  SELECT array_agg(w.ord), array_agg(w.id), array_agg(w.year_id), array_agg(w.series), array_agg(w.head), array_agg(w.tail),
         bool_and(w.takes)
    INTO ords, ids, of_years, of_series, heads, tails, takes
    FROM (
      SELECT x.ord, v.id, y.id AS year_id, v.series,
             y.state = 'open' AND extract(year FROM v.posting_date) = y.year
             AND (y.locked_through IS NULL OR v.posting_date > y.locked_through) AS takes,
             budget_net('verbund-voucher-1') || budget_net(v.id::text) || budget_net(l.code) || budget_net(y.year::text)
             || budget_net(v.series) AS head,
             budget_net(v.kind) || budget_net(v.posting_date::text) || budget_net(v.document_date::text) || budget_net(v.text)
             || budget_net(v.reverses::text)
             || budget_net(to_char(v.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || budget_net(v.posted_by)
             || budget_net(jsonb_array_length(v.lines)::text)
             || coalesce((
                  SELECT string_agg(
                           budget_net(n.position::text) || budget_net(a.code) || budget_net(p.code) || budget_net(n.debit::text)
                           || budget_net(n.credit::text) || budget_net(c.code)
                           || CASE WHEN n.deduction THEN '1:1,' ELSE '1:0,' END || budget_net(n.open_item_id::text)
                           || budget_net(n.project) || budget_net(n.cost_center), '' ORDER BY n.position)
                    FROM budget_voucherline n
                    JOIN budget_account a ON a.id = n.account_id
                    LEFT JOIN budget_product p ON p.id = n.product_id
                    LEFT JOIN budget_account c ON c.id = n.finance_account_id
                   WHERE n.voucher_id = v.id), '') AS tail
        FROM jsonb_array_elements(p_vouchers) WITH ORDINALITY AS x (j, ord),
             jsonb_to_record(x.j) AS v (id uuid, year_id uuid, series text, posting_date date, document_date date, kind text,
                                        text text, reverses uuid, posted_at timestamptz, posted_by text, lines jsonb)
        JOIN budget_fiscalyear y ON y.id = v.year_id
        JOIN budget_ledger l ON l.id = y.ledger_id
       ORDER BY y.id, v.series, x.ord) w;
  IF NOT coalesce(takes, true) OR coalesce(cardinality(ids), 0) <> jsonb_array_length(p_vouchers) THEN
    RAISE EXCEPTION 'the period is closed' USING ERRCODE = 'VB001';
  END IF;

  IF jsonb_array_length(p_funds) > 0 THEN
    INSERT INTO budget_fundsevent (id, line_id, authorisation, consumed, open, voucher, binding, binding_used, at)
      SELECT e.id, e.line, 0, e.consumed, e.open, e.voucher, e.binding, e.used, e.at
        FROM jsonb_to_recordset(p_funds) AS e (id uuid, line uuid, consumed bigint, open bigint, voucher uuid, binding uuid,
                                               used bigint, at timestamptz);
    IF p_funds @? '$[*].binding ? (@ != null)' THEN
      FOR f IN SELECT e.binding AS id, e.line, sum(e.used) AS used
                 FROM jsonb_to_recordset(p_funds) AS e (binding uuid, line uuid, used bigint)
                WHERE e.binding IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 LOOP
        UPDATE budget_bindingline b SET used_cents = b.used_cents + f.used WHERE b.binding_id = f.id AND b.line_id = f.line;
      END LOOP;
    END IF;
  END IF;

  IF p_vouchers @? '$[*].lines[*].open_item ? (@ != null)' THEN
    FOR f IN SELECT n.open_item AS id, n.account, sum(n.debit - n.credit) AS cents
               FROM jsonb_array_elements(p_vouchers) x,
                    jsonb_to_recordset(x->'lines') AS n (open_item uuid, account uuid, debit bigint, credit bigint)
              WHERE n.open_item IS NOT NULL AND x->>'kind' <> 'carry_forward' GROUP BY 1, 2 ORDER BY 1, 2 LOOP
      UPDATE budget_openitem i SET open_cents = i.open_cents + f.cents WHERE i.id = f.id AND i.account_id = f.account;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'open item % is not of this account', f.id USING ERRCODE = 'VB004';
      END IF;
    END LOOP;
  END IF;

  IF jsonb_array_length(p_funds) > 0 THEN
    IF p_funds @? '$[*].circle ? (@ != null)' THEN
      FOR f IN SELECT e.circle AS id, sum(e.consumed) AS consumed, sum(e.open) AS open
                 FROM jsonb_to_recordset(p_funds) AS e (circle uuid, consumed bigint, open bigint)
                WHERE e.circle IS NOT NULL GROUP BY 1 ORDER BY 1 LOOP
        UPDATE budget_circlebalance b SET consumed = b.consumed + f.consumed, open = b.open + f.open WHERE b.circle_id = f.id;
      END LOOP;
    END IF;
    FOR f IN SELECT e.line AS id, sum(e.consumed) AS consumed, sum(e.open) AS open
               FROM jsonb_to_recordset(p_funds) AS e (line uuid, consumed bigint, open bigint) GROUP BY 1 ORDER BY 1 LOOP
      UPDATE budget_linebalance b SET consumed = b.consumed + f.consumed, open = b.open + f.open WHERE b.line_id = f.id;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'no balance row for budget line %', f.id USING ERRCODE = 'VB009';
      END IF;
    END LOOP;
  END IF;

  FOR i IN 1 .. coalesce(cardinality(ids), 0) LOOP
    IF c_year IS DISTINCT FROM of_years[i] OR c_series IS DISTINCT FROM of_series[i] THEN
      IF c_year IS NOT NULL THEN
        UPDATE budget_seriescounter k SET last_no = c_no, last_hash = c_hash WHERE k.fiscal_year_id = c_year AND k.series = c_series;
      END IF;
      c_year := of_years[i];
      c_series := of_series[i];
      SELECT k.last_no, k.last_hash INTO c_no, c_hash FROM budget_seriescounter k
        WHERE k.fiscal_year_id = c_year AND k.series = c_series FOR UPDATE;
      IF NOT FOUND THEN
        INSERT INTO budget_seriescounter (fiscal_year_id, series, last_no, last_hash)
          VALUES (c_year, c_series, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
        SELECT k.last_no, k.last_hash INTO STRICT c_no, c_hash FROM budget_seriescounter k
          WHERE k.fiscal_year_id = c_year AND k.series = c_series FOR UPDATE;
      END IF;
    END IF;
    c_no := c_no + 1;
    prevs[i] := c_hash;
    c_hash := sha256(c_hash || convert_to(heads[i] || budget_net(c_no::text) || tails[i], 'UTF8'));
    nos[i] := c_no;
    hashes[i] := c_hash;
  END LOOP;

  WITH written AS (
    INSERT INTO budget_voucher (id, ledger_id, fiscal_year_id, series, no, posting_date, document_date, kind, text, reverses_id,
                                line_count, total_cents, posted_at, posted_by, hash_prev, hash)
      SELECT v.id, y.ledger_id, v.year_id, v.series, u.no, v.posting_date, v.document_date, v.kind, v.text, v.reverses,
             jsonb_array_length(v.lines), (SELECT sum((n->>'debit')::bigint) FROM jsonb_array_elements(v.lines) n),
             v.posted_at, v.posted_by, u.prev, u.hash
        FROM unnest(ords, nos, prevs, hashes) AS u (ord, no, prev, hash)
        JOIN (jsonb_array_elements(p_vouchers) WITH ORDINALITY AS x (j, ord)
              CROSS JOIN LATERAL jsonb_to_record(x.j) AS v (id uuid, year_id uuid, series text, posting_date date,
                document_date date, kind text, text text, reverses uuid, posted_at timestamptz, posted_by text, lines jsonb))
          ON x.ord = u.ord
        JOIN budget_fiscalyear y ON y.id = v.year_id
       ORDER BY u.ord
    RETURNING id)
  INSERT INTO budget_unfoldedvoucher (voucher_id) SELECT id FROM written;
  IF c_year IS NOT NULL THEN
    UPDATE budget_seriescounter k SET last_no = c_no, last_hash = c_hash WHERE k.fiscal_year_id = c_year AND k.series = c_series;
  END IF;
  RETURN QUERY SELECT * FROM unnest(ids, nos, hashes);
END $$
"""

# What drafts name, in one call. As JSON: a migration may add a column while a connection lives, and a kept plan must not
# change its result.
NAMED = """
CREATE FUNCTION budget_named(p_ledger text, p_years integer[], p_accounts text[], p_products text[])
RETURNS TABLE (r_ledger json, r_years json, r_accounts json, r_products json, r_lines json)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  own uuid;
  years uuid[];
  accounts uuid[];
  products uuid[];
BEGIN
  SELECT l.id, row_to_json(l) INTO own, r_ledger FROM budget_ledger l WHERE l.code = p_ledger;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT array_agg(y.id), json_agg(y) INTO years, r_years FROM budget_fiscalyear y
    WHERE y.ledger_id = own AND y.year = ANY (p_years);
  SELECT array_agg(a.id), json_agg(a) INTO accounts, r_accounts FROM budget_account a
    WHERE a.ledger_id = own AND a.code = ANY (p_accounts);
  IF cardinality(p_products) > 0 THEN
    SELECT array_agg(p.id), json_agg(p) INTO products, r_products FROM budget_product p
      WHERE p.ledger_id = own AND p.code = ANY (p_products);
    SELECT json_agg(b) INTO r_lines FROM budget_budgetline b
      WHERE b.fiscal_year_id = ANY (years) AND b.product_id = ANY (products) AND b.account_id = ANY (accounts);
  END IF;
  RETURN NEXT;
END $$
"""

# A posted voucher has as many lines as it says (budget_check_voucher), each at a place of its own (primary key). If every line
# stands at a place from 1 to that number, there is none left for another one.
CHECK_LINE = """
CREATE OR REPLACE FUNCTION budget_check_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM 1 FROM budget_voucher v WHERE v.id = NEW.voucher_id AND NEW.position BETWEEN 1 AND v.line_count;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'voucher % is posted: it takes no more lines', NEW.voucher_id USING ERRCODE = 'VB003';
  END IF;
  RETURN NULL;
END $$
"""

# CREATE OR REPLACE forgets the pinned path of 0002.
PIN = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION budget_check_line() SET search_path = %I, public, pg_temp', current_schema());
END $$
"""

DROP_INDEX_OF_REVERSES = """
DO $$ DECLARE name text; BEGIN
  SELECT i.indexrelid::regclass::text INTO STRICT name
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'reverses_id'
   WHERE i.indrelid = 'budget_voucher'::regclass AND i.indkey::text = a.attnum::text AND NOT i.indisunique;
  EXECUTE 'DROP INDEX ' || name;
END $$
"""


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("budget", "0003_voucher_by_day")]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        *[
            migrations.RunSQL(statement)
            for statement in [POST, NAMED, CHECK_LINE, PIN, "DROP FUNCTION budget_canonical_lines(uuid)"]
        ],
        migrations.RemoveIndex(
            model_name="voucher",
            name="budget_voucher_by_day",
        ),
        migrations.AlterField(
            model_name="account",
            name="ledger",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="accounts", to="budget.ledger"
            ),
        ),
        migrations.AlterField(
            model_name="budgetline",
            name="fiscal_year",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="budget.fiscalyear",
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="ledger",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="products", to="budget.ledger"
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="fiscal_year",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vouchers",
                to="budget.fiscalyear",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="ledger",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="vouchers", to="budget.ledger"
            ),
        ),
        # By hand: AlterField would take the partial unique constraint on the same column away as well.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(DROP_INDEX_OF_REVERSES)],
            state_operations=[
                migrations.AlterField(
                    model_name="voucher",
                    name="reverses",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="budget.voucher",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="voucher",
            index=models.Index(fields=["posting_date", "fiscal_year"], name="budget_voucher_by_day"),
        ),
    ]
