"""What a page of a room below offers to choose from of what stands here (ADR 0140); wired in `config/wiring.py`."""

from verbund.modules.citizenservices import queries


def template_choices() -> list[tuple[str, str]]:
    """The service templates of this release with their titles, for who plans what a new body begins with."""
    choices = [(key, str(template.values["title"])) for key, template in queries.service_templates().items()]
    return sorted(choices, key=lambda choice: choice[1])
