"""Points: books of immutable transfers, and what earns them. `docs/ledger.md` tells how they add up."""
