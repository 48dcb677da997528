"""Role (Rolle): what a person is entrusted with in one body. Rooms map roles to permissions in their `policies.py`."""

from enum import StrEnum


class Role(StrEnum):
    """Role (Rolle) of an assignment. The value is stored; never rename one."""

    CLERK = "clerk"  # Sachbearbeitung
    REGISTRY = "registry"  # Registratur
    HEAD_OF_UNIT = "head_of_unit"  # Fachdienstleitung
    SERVICE_EDITOR = "service_editor"  # Leistungsredaktion
    BUDGET_OFFICER = "budget_officer"  # Kämmerei
    TREASURY_CLERK = "treasury_clerk"  # Kasse
    TREASURER = "treasurer"  # Kassenverwaltung
    AUDITOR = "auditor"  # Rechnungsprüfung, reads all
    DATA_PROTECTION_OFFICER = "data_protection_officer"  # Datenschutzbeauftragte
    BODY_ADMIN = "body_admin"  # Administration of one body, no business rights
    ALLIANCE_MANAGER = "alliance_manager"  # Vorstand of the alliance
    OPERATOR = "operator"  # Betrieb of the installation, on the alliance's host
