"""`verbund walk --accession`: a new town joins the alliance, from its inquiry to its first invoice, with evidence.

`alliance` furnishes; `entering` enters the town, `contracting` sees to the contract, `procedure` files the acts of the
accession, `charging` sees to the money, `beginning` to the new body, each on the pages on which people do it. `ground`
is what they share, `days` are the legal days.
"""

from verbund.commands.texts import _
from verbund.commands.walk.report import Report, equal, true
from verbund.commands.walk.site import Site

from .alliance import Alliance
from .beginning import Beginning
from .charging import Charging
from .contracting import Contracting
from .entering import Entering
from .ground import Ground
from .procedure import Procedure


def join(alliance: Alliance, site: Site, report: Report) -> None:
    """All steps in order; the town's body begins only with the effect.

    Raises:
        Untrue, httpx.HTTPError: at the first thing that is not as it must be.
    """
    ground = Ground(alliance, site, report)
    entering, contracting = Entering(ground), Contracting(ground)
    procedure, charging, beginning = Procedure(ground), Charging(ground), Beginning(ground)
    try:
        charging.priced()
        entering.entered()
        entering.known()
        entering.spoken_for()
        procedure.inquiry()
        charging.modelled()
        procedure.costs_stated()
        contracting.library_reviewed()
        contracting.gaps_refused()
        contracting.first_version()
        contracting.changed()
        procedure.consents()
        contracting.copies_kept()
        procedure.signed_and_noticed()
        beginning.planned()
        procedure.waiting()
        procedure.cleared()
        procedure.agreed()
        charging.before_effect()
        procedure.published(contracting.superseded)
        procedure.in_effect()
        beginning.provisioned()
        procedure.capital_and_tasks()
        beginning.first_people()
        beginning.clerk_signs_in()
        beginning.line_planned()
        beginning.first_application(beginning.service_published())
        charging.charged()
        charging.arrived(beginning.treasury())
        with report.step(_("What had to be refused was refused, and nothing changed by it")) as step:
            true(len(ground.refusals) >= 20, f"only {len(ground.refusals)} attempts were refused")
            equal("attempts, each once", len(set(ground.refusals)), len(ground.refusals))
            step.found(refused=len(ground.refusals), attempts="; ".join(ground.refusals))
    finally:
        beginning.close()
