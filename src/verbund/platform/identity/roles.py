"""Role (Rolle): what a person is entrusted with in one body. Rooms map roles to permissions in their `policies.py`."""

from enum import StrEnum
from typing import Final


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
    BOARD_MEMBER = "board_member"  # Mitglied des Verwaltungsrats of the alliance
    COST_CONTROLLER = "cost_controller"  # Kostenrechnung of the alliance
    MEMBER_REPRESENTATIVE = "member_representative"  # Vertretung eines Mitglieds; the unit is the member's short name
    OPERATOR = "operator"  # Betrieb of the installation, on the alliance's host


# What exists in the alliance's own body only.
ALLIANCE_ROLES: Final = frozenset(
    {
        Role.ALLIANCE_MANAGER,
        Role.BOARD_MEMBER,
        Role.COST_CONTROLLER,
        Role.MEMBER_REPRESENTATIVE,
        Role.OPERATOR,
    }
)
