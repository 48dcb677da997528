"""Addresses of cost sharing: the alliance's work, and what a member's representative sees."""

from django.urls import path

from . import views

app_name = "costsharing"
_BASE = "arbeit/kosten/"

urlpatterns = [
    path(_BASE, views.overview, name="overview"),
    path(f"{_BASE}wirtschaftsplan/", views.plans, name="plans"),
    path(f"{_BASE}wirtschaftsplan/<uuid:plan_id>/", views.plan, name="plan"),
    path(f"{_BASE}wirtschaftsplan/<uuid:plan_id>/position/", views.add_line, name="add_line"),
    path(f"{_BASE}wirtschaftsplan/<uuid:plan_id>/stelle/", views.add_post, name="add_post"),
    path(f"{_BASE}wirtschaftsplan/<uuid:plan_id>/beschluss/", views.resolve, name="resolve"),
    path(f"{_BASE}stellen/<int:year>/", views.centres, name="centres"),
    path(f"{_BASE}stellen/<int:year>/kosten/", views.record_cost, name="record_cost"),
    path(f"{_BASE}mengen/", views.measures, name="measures"),
    path(f"{_BASE}mengen/erfassen/", views.record_measure, name="record_measure"),
    path(f"{_BASE}mengen/einlesen/", views.import_measures, name="import_measures"),
    path(f"{_BASE}einzelkosten/", views.items, name="items"),
    path(f"{_BASE}einzelkosten/erfassen/", views.record_item, name="record_item"),
    path(f"{_BASE}preise/", views.prices, name="prices"),
    path(f"{_BASE}preise/tarif/", views.set_tariff, name="set_tariff"),
    path(f"{_BASE}preise/regel/", views.set_rule, name="set_rule"),
    path(f"{_BASE}preise/umsatzsteuer/", views.review_tax, name="review_tax"),
    path(f"{_BASE}preise/schluessel/", views.define_key, name="define_key"),
    path(f"{_BASE}laeufe/", views.runs, name="runs"),
    path(f"{_BASE}laeufe/<uuid:run_id>/", views.run, name="run"),
    path(f"{_BASE}laeufe/<uuid:run_id>/mitglied/<slug:member>/", views.run_lines, name="run_lines"),
    path(f"{_BASE}laeufe/<uuid:run_id>/pruefen/", views.check_run, name="check_run"),
    path(f"{_BASE}laeufe/<uuid:run_id>/freigeben/", views.release_run, name="release_run"),
    path(f"{_BASE}laeufe/<uuid:run_id>/ausstellen/", views.issue_run, name="issue_run"),
    path(f"{_BASE}laeufe/<uuid:run_id>/verwerfen/", views.discard_run, name="discard_run"),
    path(f"{_BASE}rechnungen/", views.invoices, name="invoices"),
    path(f"{_BASE}rechnungen/<uuid:invoice_id>/", views.invoice, name="invoice"),
    path(f"{_BASE}rechnungen/<uuid:invoice_id>/zuruecknehmen/", views.credit_invoice, name="credit_invoice"),
    path(f"{_BASE}rechnungen/<uuid:invoice_id>/original/<str:part>/", views.invoice_original, name="invoice_original"),
    path(f"{_BASE}anschriften/", views.addresses, name="addresses"),
    path(f"{_BASE}anschriften/<uuid:member_id>/", views.set_address, name="set_address"),
    path(f"{_BASE}modell/", views.scenarios, name="scenarios"),
    path(f"{_BASE}modell/neu/", views.new_scenario, name="new_scenario"),
    path(f"{_BASE}modell/<uuid:scenario_id>/", views.scenario, name="scenario"),
    path("arbeit/eigene-kosten/", views.own, name="own"),
    path("arbeit/eigene-kosten/<slug:member>/<int:year>/", views.own_year, name="own_year"),
]
