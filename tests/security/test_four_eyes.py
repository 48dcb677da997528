"""Two people for one decision: the second signs what the first has proposed, and nothing else."""

from typing import Any

import pytest

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.tests import factories
from verbund.modules.citizenservices.tests.factories import NOW, SYSTEM, clerk
from verbund.platform.identity.roles import Role

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("outcome", "reason"), [("refused", "weil"), ("granted", "mit anderer Auflage")])
def test_who_signs_cannot_put_another_decision_in_the_place_of_the_proposed_one(
    alpha: Any, outcome: str, reason: str
) -> None:
    factories.town()
    ref = factories.submit(factories.GUEST, service=factories.offer(requires_sign_off=True))
    eva, hilde = clerk(), clerk("Hilde Hain", Role.HEAD_OF_UNIT)
    version = services.propose_decision(
        eva,
        application_id=ref.id,
        outcome="granted",
        reason="",
        expected_version=factories.taken(ref, eva),
        now=NOW,
    )
    with pytest.raises(services.DecisionInvalid):
        services.decide_application(
            hilde, application_id=ref.id, outcome=outcome, reason=reason, expected_version=version, now=NOW
        )
    assert queries.application(SYSTEM, ref.id, now=NOW).state == "in_progress"
    services.decide_application(
        hilde, application_id=ref.id, outcome="granted", reason="", expected_version=version, now=NOW
    )
    assert queries.application(SYSTEM, ref.id, now=NOW).state == "decided"
