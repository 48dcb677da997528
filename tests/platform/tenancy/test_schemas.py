"""What stands in a body's schema: everything the models say."""

from typing import Any

from django.db import connection

from verbund.platform.tenancy.roles import tenant_models


def test_every_constraint_and_index_of_the_models_stands_in_the_schema(alpha: Any) -> None:
    """A change of a field may take a constraint on the same column away without a word (Django's AlterField does)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind = 'i' AND c.relnamespace = 'alpha'::regnamespace"
            " UNION SELECT conname FROM pg_constraint WHERE connamespace = 'alpha'::regnamespace"
        )
        there = {name for (name,) in cursor.fetchall()}
    wanted = {
        f"{model._meta.label}: {named.name}"
        for model in tenant_models()
        for named in [*model._meta.constraints, *model._meta.indexes]
        if named.name not in there
    }
    assert wanted == set()
    assert len(there) > 100
