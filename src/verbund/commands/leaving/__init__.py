"""Leaving for real (Herausgabe und Löschung): everything of one body in open formats, taken in by another installation,
and erased here with a certificate. What an archive holds and why is said in docs/operations/exit.md and ADR 0125."""
