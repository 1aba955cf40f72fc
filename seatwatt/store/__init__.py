"""Where readings rest: one writer port, one reader port, two adapters."""
