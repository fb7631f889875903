"""One proof for points and goods: `machine` plays stories, `stored` adds up what the table holds, `street` is the world."""

import pytest

# A step that goes wrong shows what was said and what should have been.
for _module in ("machine", "stored"):
    pytest.register_assert_rewrite(f"{__name__}.{_module}")
