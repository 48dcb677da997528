"""Citizen services (Online-Bürgerdienste): forms, services on offer, and applications from the first page to the closed
case.

Purpose: a body publishes services with a form (FIM XDatenfelder 3), citizens apply, clerks decide. Words: form version
(Formularversion), service (Leistung), draft (Entwurf), application (Antrag), question (Rückfrage), decision (Bescheid),
mailbox (Postfach), tracking code (Zugangscode). Neighbours below: `records` keeps the case, the documents and the
letters; `budget` books the fee. They know nothing of applications: they carry our `origin` and give it back in their
events.
"""
