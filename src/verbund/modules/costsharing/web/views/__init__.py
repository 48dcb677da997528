"""Views of cost sharing: each translates a form, makes one call, and translates the answer."""

from .addresses import addresses, set_address
from .figures import (
    define_key,
    import_measures,
    items,
    measures,
    prices,
    record_item,
    record_measure,
    review_tax,
    set_rule,
    set_tariff,
)
from .own import own, own_year
from .planning import add_line, add_post, centres, overview, plan, plans, record_cost, resolve
from .runs import (
    check_run,
    credit_invoice,
    discard_run,
    invoice,
    invoices,
    issue_run,
    release_run,
    run,
    run_lines,
    runs,
)
from .scenarios import new_scenario, scenario, scenarios

__all__ = [
    "add_line",
    "add_post",
    "addresses",
    "centres",
    "check_run",
    "credit_invoice",
    "define_key",
    "discard_run",
    "import_measures",
    "invoice",
    "invoices",
    "issue_run",
    "items",
    "measures",
    "new_scenario",
    "overview",
    "own",
    "own_year",
    "plan",
    "plans",
    "prices",
    "record_cost",
    "record_item",
    "record_measure",
    "release_run",
    "resolve",
    "review_tax",
    "run",
    "run_lines",
    "runs",
    "scenario",
    "scenarios",
    "set_address",
    "set_rule",
    "set_tariff",
]
