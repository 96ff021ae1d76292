"""Everything that grades."""
