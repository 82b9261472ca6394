"""The catalogue: which tasks can be submitted, and with what arguments.

Workers describe their tasks (:mod:`~celeriac.catalog.build`) and publish them (:mod:`~celeriac.catalog.store`), so
that a process without task code can check arguments (:mod:`~celeriac.catalog.arguments`, which the worker need not
load) before it submits.
"""

from celeriac.catalog.entry import Entry
from celeriac.catalog.near import near_names

__all__ = ["Entry", "near_names"]
