"""The catalogue: which tasks can be submitted, and with what arguments.

Workers describe their tasks (:mod:`~celeriac.catalog.build`) and publish them (:mod:`~celeriac.catalog.store`), so
that a process without task code can check arguments (:mod:`~celeriac.catalog.arguments`) before it submits.
"""

from celeriac.catalog.arguments import Arguments
from celeriac.catalog.entry import Entry
from celeriac.catalog.near import near_names

__all__ = ["Arguments", "Entry", "near_names"]
