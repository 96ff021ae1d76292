"""Programs that maintainers run by hand, behind ``make data`` and ``make pictures``; nothing imports them."""
