"""Migrations of the app `events` as a later release might bring them."""
