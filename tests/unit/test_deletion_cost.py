"""Marking pods, as far as it goes without a cluster; tests/e2e shows that the idle worker goes first."""

import pytest

from celeriac.errors import ConfigurationError
from celeriac_scheduler.deletion_cost import Pods


def test_outside_kubernetes_the_setting_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="CELERIAC_SCHEDULER_POD_DELETION_COST works in a pod"):
        Pods({})
