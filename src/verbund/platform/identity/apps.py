from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """People and what they may do where; these tables lie in the shared schema."""

    name = "verbund.platform.identity"
    label = "identity"
    default_auto_field = "django.db.models.BigAutoField"
