"""The coast to other systems' files: form schemas (XDatenfelder) and code lists (genericode)."""
