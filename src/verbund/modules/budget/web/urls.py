"""Addresses of the budget room."""

from django.urls import path

from . import views

app_name = "budget"

_YEAR = "arbeit/haushalt/<slug:ledger>/<int:year>/"

urlpatterns = [
    path("arbeit/haushalt/", views.overview, name="overview"),
    path("arbeit/haushalt/belege/<uuid:voucher_id>/", views.voucher, name="voucher"),
    path("arbeit/haushalt/belege/<uuid:voucher_id>/stornieren/", views.reverse_voucher, name="reverse_voucher"),
    path("arbeit/haushalt/forderungen/<uuid:claim_id>/", views.claim, name="claim"),
    path("arbeit/haushalt/forderungen/<uuid:claim_id>/absetzen/", views.cancel_claim, name="cancel_claim"),
    path("arbeit/haushalt/umsaetze/<uuid:entry_id>/", views.entry, name="entry"),
    path("arbeit/haushalt/umsaetze/<uuid:entry_id>/zuordnen/<uuid:claim_id>/", views.assign, name="assign"),
    path("arbeit/rechnungseingang/", views.inbound, name="inbound"),
    path("arbeit/rechnungseingang/<uuid:invoice_id>/", views.inbound_invoice, name="inbound_invoice"),
    path("arbeit/rechnungseingang/<uuid:invoice_id>/<str:part>/", views.inbound_original, name="inbound_original"),
    path("arbeit/haushalt/rechnungen/<uuid:invoice_id>/<str:part>/", views.outgoing_original, name="outgoing_original"),
    path(_YEAR, views.year_overview, name="year"),
    path(f"{_YEAR}ueberwachung/", views.monitoring, name="monitoring"),
    path(f"{_YEAR}ueberwachung/ansatz/", views.set_appropriation, name="set_appropriation"),
    path(f"{_YEAR}journal/", views.journal, name="journal"),
    path(f"{_YEAR}konten/", views.accounts, name="accounts"),
    path(f"{_YEAR}konten/<str:code>/", views.account, name="account"),
    path(f"{_YEAR}posten/", views.items, name="items"),
    path(f"{_YEAR}rechnungen/", views.outgoing, name="outgoing"),
    path(f"{_YEAR}kontoauszuege/", views.statements, name="statements"),
    path(f"{_YEAR}saldenliste/", views.trial_balance, name="trial_balance"),
    path(f"{_YEAR}ergebnisrechnung/", views.result_statement, name="result_statement"),
    path(f"{_YEAR}finanzrechnung/", views.cash_statement, name="cash_statement"),
    path(f"{_YEAR}bilanz/", views.balance_sheet, name="balance_sheet"),
]
