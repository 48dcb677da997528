from django.apps import AppConfig


class FilesConfig(AppConfig):
    """The store of a body's contents; its table lies in the body's schema."""

    name = "verbund.platform.files"
    label = "files"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers the system checks
