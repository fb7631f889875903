"""AWS clients."""

from __future__ import annotations

import gc

from chalicelib.kit import aws


def test_the_collector_works_again_once_the_code_is_loaded():
    gc.disable()  # as importing chalicelib does
    aws.session.__wrapped__()
    assert gc.isenabled()
