"""Membership (Trägerschaft): the alliance and the bodies it works for.

Its words: *member* (a body the alliance works for, carrier or not), *carrier* (a member with a share and seats, from
one day until another), *accession* (the way to become one, by contract), *agreement* (a service of the alliance for a
member), *provisioning* (making a new member's body ready), *room* (a part of the platform that is switched on for a
body), *AGS/ARS* (official keys). It lives in the alliance's own schema; the technical side of a body (schema, role,
hosts) is `platform.tenancy`. Its neighbours are above: registers and processes may ask it, it asks nobody.
"""
