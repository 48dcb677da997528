from django.apps import AppConfig


class RestConfig(AppConfig):
    """The interface for machines; no tables, only its messages."""

    name = "verbund.platform.rest"
    label = "rest"
