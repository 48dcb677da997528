"""Who is there, and what may they do: people, assignments, citizens' accounts, sign-in, sessions, the Actor.

Its tables lie in two places: people and assignments in the shared schema (`identity`), everything that belongs to one
body alone in that body's schema (`identity.local`).
"""
