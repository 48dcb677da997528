from django.apps import AppConfig


class IdentityLocalConfig(AppConfig):
    """The part of identity that lies in the schema of each body."""

    name = "verbund.platform.identity.local"
    label = "identity_local"
    default_auto_field = "django.db.models.BigAutoField"
