"""A table that is brought in step with a query: what the statements that do it have to know of it."""

from dataclasses import dataclass, field

from psycopg2.sql import SQL, Composable, Composed, Identifier

EVERY_ROW = SQL("true")


@dataclass(frozen=True)
class Target:
    """A table, the columns that identify a row, none of them null, and those that are compared.

    `stamped` columns are written with a row but do not make it differ. `scope` is a condition on the table, aliased t:
    other rows are not the query's affair. With `keeps_rows` none is deleted. One that `is_large` gets its keys after
    its first rows, and is closed to readers from then to the end of the transaction. These are written in the order of
    the key if it is to be `in_order`. Into one that `is_shared` runs of both sources write: it is not analysed, as that
    would lock the other's out to the end of the transaction.
    """

    table: str
    key: tuple[str, ...]
    compared: tuple[str, ...]
    stamped: tuple[str, ...] = ()
    scope: Composable = field(default_factory=lambda: EVERY_ROW)
    keeps_rows: bool = False
    is_large: bool = False
    in_order: bool = False
    is_shared: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.key + self.compared + self.stamped

    @property
    def differing(self) -> str:
        """The work table with the rows that differ: as they should be, with `row_id` where the row is that is there.

        `is_new` says that there was no row of the key, `is_gone` that there is to be none.
        """
        return f"differing_{self.table}"


def names(columns: tuple[str, ...], alias: str = "") -> Composed:
    """Return a list of columns for a statement, each qualified with `alias`."""
    parts = ((alias, column) if alias else (column,) for column in columns)
    return SQL(", ").join(Identifier(*part) for part in parts)


def each(template: str, columns: tuple[str, ...]) -> Composed:
    """Return a part of a statement for each of the columns, one after the other."""
    return SQL("").join(SQL(template).format(Identifier(column)) for column in columns)
