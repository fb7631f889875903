"""The backend, slice by slice."""

import gc

# Loading the code makes objects by the hundred thousand, and they stay. The collector, run at every 700 new ones,
# walks through them in vain: 5 % of a cold start.
gc.set_threshold(50_000, 10, 10)
