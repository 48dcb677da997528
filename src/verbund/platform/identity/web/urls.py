from django.urls import path

from . import access, accounts, citizens, jobs, people, signin, staff_links, units

urlpatterns = [
    # staff: signing in
    path("anmelden/", signin.sign_in, name="staff_sign_in"),
    path("anmelden/zweiter-faktor/", signin.second_factor, name="staff_second_factor"),
    path("anmelden/einrichten/", signin.set_up, name="staff_set_up"),
    path("anmelden/dienst/", signin.provider_start, name="staff_provider"),
    path("anmelden/dienst/zurueck/", signin.provider_return, name="staff_provider_return"),
    path("anmelden/passwort-vergessen/", staff_links.forgotten, name="staff_forgotten"),
    path("anmelden/passwort/<str:secret>/", staff_links.new_password, name="staff_password"),
    path("anmelden/einladung/<str:secret>/", staff_links.invitation, name="staff_invitation"),
    path("abmelden/", signin.sign_out, name="sign_out"),
    # staff: one's own access
    path("arbeit/konto/", access.overview, name="staff_account"),
    path("arbeit/konto/passwort/", access.password, name="staff_own_password"),
    path("arbeit/konto/bestaetigen/", access.prove, name="staff_prove"),
    path("arbeit/konto/zweiter-faktor/", access.factors_page, name="staff_own_factors"),
    path("arbeit/konto/zweiter-faktor/app/", access.add_app, name="staff_add_app"),
    path("arbeit/konto/zweiter-faktor/passkey/", access.add_passkey, name="staff_add_passkey"),
    path("arbeit/konto/zweiter-faktor/codes/", access.recovery_codes, name="staff_recovery_codes"),
    path("arbeit/konto/zweiter-faktor/<uuid:factor_id>/entfernen/", access.remove_factor, name="staff_remove_factor"),
    path("arbeit/konto/vertretung/", access.absence, name="staff_absence"),
    path("arbeit/konto/vertretung/<uuid:absence_id>/beenden/", access.end_absence, name="staff_end_absence"),
    path("arbeit/konto/sitzungen/", access.sessions, name="staff_sessions"),
    path("arbeit/konto/sitzungen/andere/beenden/", access.revoke_others, name="staff_revoke_others"),
    path("arbeit/konto/sitzungen/<uuid:session_id>/beenden/", access.revoke, name="staff_revoke"),
    # administration
    path("arbeit/verwaltung/personen/", people.index, name="people"),
    path("arbeit/verwaltung/personen/neu/", people.create, name="person_create"),
    path("arbeit/verwaltung/personen/<uuid:person_id>/", people.show, name="person"),
    path("arbeit/verwaltung/personen/<uuid:person_id>/bearbeiten/", people.change, name="person_change"),
    path("arbeit/verwaltung/personen/<uuid:person_id>/zuweisen/", people.assign, name="person_assign"),
    path("arbeit/verwaltung/personen/<uuid:person_id>/einladen/", people.invite, name="person_invite"),
    path("arbeit/verwaltung/personen/<uuid:person_id>/sperren/", people.block, name="person_block"),
    path("arbeit/verwaltung/personen/<uuid:person_id>/entsperren/", people.unblock, name="person_unblock"),
    path(
        "arbeit/verwaltung/personen/<uuid:person_id>/zweiter-faktor/", people.reset_factor, name="person_reset_factor"
    ),
    path("arbeit/verwaltung/personen/<uuid:person_id>/vertretung/", people.absence, name="person_absence"),
    path("arbeit/verwaltung/zuweisungen/<uuid:assignment_id>/beenden/", people.end_assignment, name="assignment_end"),
    path("arbeit/verwaltung/abwesenheiten/<uuid:absence_id>/beenden/", people.end_absence, name="absence_end"),
    path("arbeit/verwaltung/einheiten/", units.index, name="units"),
    path("arbeit/verwaltung/einheiten/neu/", units.create, name="unit_create"),
    path("arbeit/verwaltung/einheiten/<path:code>/bearbeiten/", units.change, name="unit_change"),
    # operators, on the alliance's host
    path("arbeit/betrieb/auftraege/", jobs.index, name="jobs"),
    path("arbeit/betrieb/auftraege/<int:job_id>/wiederholen/", jobs.retry, name="job_retry"),
    path("arbeit/betrieb/auftraege/<int:job_id>/verwerfen/", jobs.discard, name="job_discard"),
    # citizens
    path("konto/anmelden/", citizens.sign_in, name="citizen_sign_in"),
    path("konto/dienst/", citizens.provider_start, name="citizen_provider"),
    path("konto/dienst/zurueck/", citizens.provider_return, name="citizen_provider_return"),
    path("konto/registrieren/", citizens.register, name="citizen_register"),
    path("konto/bestaetigen/<str:secret>/", citizens.confirm, name="citizen_confirm"),
    path("konto/passwort-vergessen/", citizens.forgotten, name="citizen_forgotten"),
    path("konto/passwort/neu/<str:secret>/", citizens.new_password, name="citizen_password"),
    path("konto/", accounts.overview, name="citizen_account"),
    path("konto/passwort/", accounts.password, name="citizen_own_password"),
    path("konto/sitzungen/", accounts.sessions, name="citizen_sessions"),
    path("konto/sitzungen/andere/beenden/", accounts.revoke_others, name="citizen_revoke_others"),
    path("konto/sitzungen/<uuid:session_id>/beenden/", accounts.revoke, name="citizen_revoke"),
    path("konto/loeschen/", accounts.delete, name="citizen_delete"),
    path("konto/behalten/", accounts.keep, name="citizen_keep"),
]
