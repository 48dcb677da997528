from django.apps import AppConfig


class XmlConfig(AppConfig):
    """Reading XML that strangers wrote; no tables, only its messages."""

    name = "verbund.platform.xml"
    label = "xml"
