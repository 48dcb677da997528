"""The ground floor: tenancy, identity, events, audit, files, printing, ui. It knows no room."""
