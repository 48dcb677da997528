"""Addresses of records below the body's own host."""

from django.urls import path

from . import cases, documents, lists, plan, search

app_name = "records"
urlpatterns = [
    path("arbeit/akten/", lists.case_list, name="files"),
    path("arbeit/akten/liste.csv", lists.case_list_csv, name="cases_csv"),
    path("arbeit/akten/aktenplan/", lists.plan_tree, name="plan_tree"),
    path("arbeit/akten/verzeichnis/", lists.file_list, name="file_list"),
    path("arbeit/akten/akte/<uuid:file_id>/", lists.file_cases, name="file"),
    path("arbeit/akten/druck/", documents.print_room, name="print_room"),
    path("arbeit/akten/neu/", cases.open_case, name="open_case"),
    path("arbeit/akten/<uuid:case_id>/", cases.case, name="case"),
    path("arbeit/akten/<uuid:case_id>/deckblatt/", cases.cover, name="cover"),
    path("arbeit/akten/<uuid:case_id>/vermerk/", cases.note, name="note"),
    path("arbeit/akten/<uuid:case_id>/uebernehmen/", cases.take_over, name="take_over"),
    path("arbeit/akten/<uuid:case_id>/zurueckgeben/", cases.hand_back, name="hand_back"),
    path("arbeit/akten/<uuid:case_id>/schliessen/", cases.close, name="close"),
    path("arbeit/akten/<uuid:case_id>/ablegen/", documents.file_document, name="file_document"),
    path("arbeit/akten/dokument/<uuid:document_id>/", documents.document, name="document"),
    path("arbeit/akten/dokument/<uuid:document_id>/version/", documents.add_version, name="add_version"),
    path("arbeit/akten/dokument/<uuid:document_id>/inhalt/", documents.content, name="content"),
    path("arbeit/akten/dokument/<uuid:document_id>/vorschau/", documents.preview, name="preview"),
    path("arbeit/akten/dokument/<uuid:document_id>/seite/<int:page>.png", documents.page_image, name="page_image"),
    path("arbeit/akten/schreiben/<uuid:letter_id>/abgesandt/", documents.record_delivery, name="record_delivery"),
    path("arbeit/suche/", search.search, name="search"),
    path("arbeit/verwaltung/aktenplan/", plan.file_plan, name="file_plan"),
    path("arbeit/verwaltung/aktenplan/aktenplan.csv", plan.file_plan_csv, name="file_plan_csv"),
    path("arbeit/verwaltung/aktenplan/muster.csv", plan.sample, name="sample_plan"),
]
