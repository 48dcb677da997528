"""The rooms, one Django app per domain; see ARCHITECTURE.md for the floors."""
