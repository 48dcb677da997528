"""Records (Schriftgutverwaltung, elektronische Akte): a register on floor 2.

Purpose: keeps what a body has in writing. Every case stands at a position of the file plan, in a file, under a
gap-free reference; every document keeps all its versions; every letter keeps the proof of its delivery; everything
can be found, in German.

Words: FilePlanPosition, File, Case, Document, DocumentVersion, Letter, TimelineEntry (docs/glossary/records.tsv).

Neighbours: called by the process rooms above (`services`, `queries`), which hand over an opaque `origin` and hear
the events
`LetterIssued`, `LetterDelivered`, `CaseClosed`. Knows nothing of applications, money or the alliance.
"""
