"""Events (Ereignisse): what happened, told upwards, to another body or to the outside world.

An event is a frozen dataclass in the past tense with ids and values only. `publish` writes one job per hearer in the
transaction of the deed: what is rolled back was never told. A worker runs each hearer as the body's role, in a
transaction of its own that also holds the receipt, so that a job delivered twice takes effect once.
"""

from .crossing import Crossing, MayNotCross, Way
from .publishing import hearers_of, publish
from .values import from_values, to_values

__all__ = ["Crossing", "MayNotCross", "Way", "from_values", "hearers_of", "publish", "to_values"]
