"""Today, as the product takes it: in UTC, and asked for anew each time, as tests may run beyond midnight."""

from datetime import UTC, date, datetime, timedelta


def today() -> date:
    return datetime.now(UTC).date()


def monday() -> date:
    """Return the first day of this week."""
    return today() - timedelta(days=today().weekday())
