"""What a resident has earned the right to: one slice grants it (a passed quiz), another asks for it (a campaign)."""
