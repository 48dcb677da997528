from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CostsharingConfig(AppConfig):
    name = "verbund.modules.costsharing"
    label = "costsharing"
    verbose_name = _("Cost sharing")
    default_auto_field = "django.db.models.BigAutoField"
