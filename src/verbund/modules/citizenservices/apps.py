from django.apps import AppConfig


class CitizenServicesConfig(AppConfig):
    name = "verbund.modules.citizenservices"
    label = "citizenservices"
    default_auto_field = "django.db.models.BigAutoField"
