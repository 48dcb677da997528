"""Receipts of events, so that a hearer's work takes effect once however often the job is delivered."""

from django.db import models

from verbund.platform.tenancy.rights import APPEND_ONLY


class EventReceipt(models.Model):
    """EventReceipt (Empfangsvermerk): this hearer has done its work for this event, in the transaction of that work."""

    database_rights = APPEND_ONLY

    key = models.CharField(max_length=200, primary_key=True)  # "<event id> <hearer>"
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key
