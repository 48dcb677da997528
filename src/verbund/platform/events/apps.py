from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "verbund.platform.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # After procrastinate's own app is ready (it stands before this one in INSTALLED_APPS): tasks and clock are
        # registered with it.
        from procrastinate.contrib.django import app

        from . import timing

        timing.register(app)
