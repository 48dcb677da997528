"""The settings of the installation, and one app more."""

from verbund.config.settings import *  # noqa: F403 - all of them are meant
from verbund.config.settings import INSTALLED_APPS as _INSTALLED
from verbund.config.settings import TENANT_APPS as _TENANT

INSTALLED_APPS = [*_INSTALLED, "benchmarks.growing"]
TENANT_APPS = [*_TENANT, "benchmarks.growing"]
