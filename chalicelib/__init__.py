"""The backend, slice by slice."""

import gc

# Loading the code makes objects by the hundred thousand, and they stay. The collector walks through them in vain: 6 % of
# a cold start. kit.aws switches it on again when all is loaded; from then on it looks at larger heaps less often.
gc.disable()
gc.set_threshold(50_000, 10, 10)
