"""The first one, as it is."""

from importlib import import_module

Migration = import_module("verbund.platform.events.migrations.0001_initial").Migration
