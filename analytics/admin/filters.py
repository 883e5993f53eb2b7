"""By what a list can be narrowed: words of the address, and the fields of a form without which nobody would know them.

A word means what it means on the adherence page. No fact has an index for one: its rows are found by the keys of the
patients, patient journeys or activities that are so, and a list in the order of its key ends when it is full. What a
value costs that few rows have is one read of the patients or of their journeys and, where these are many, of the table.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import (
    BooleanField,
    DateField,
    DateTimeField,
    Exists,
    F,
    Func,
    Model,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.http import HttpRequest

from analytics.charts import name_of
from analytics.models import (
    ActivityAdherence,
    ActivityDimension,
    JourneyDimension,
    PatientDimension,
    PatientJourneyFact,
    SurveyDimension,
)
from analytics.pages.dimensions import DIMENSIONS, UNKNOWN, Dimension, known_labels
from analytics.pages.page import BLANK, RefusedError
from ingest.cursors import raw_cursor
from ingest.placement import Placement, placement

MOST_OPTIONS = 200  # of a select: among more of them a person types, and the browser suggests


def words(name: str) -> str:
    """Return the name of a column as a person reads it."""
    return name.replace("_", " ")


@dataclass(frozen=True)
class Field:
    """A field of the form: `value` is what the address gives, `options` what there is to choose from, if known."""

    name: str
    title: str
    value: str | None
    options: Sequence[tuple[str, str]] = ()
    is_day: bool = False

    @property
    def is_select(self) -> bool:
        return not self.is_day and len(self.options) <= MOST_OPTIONS

    @property
    def sent(self) -> str:
        """What the form sends for the value: a field that is left empty says that none was chosen."""
        return BLANK if self.value == "" else self.value or ""

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What can be chosen. Without what the address asks for the next press of the button would widen the list."""
        sent = {value or BLANK: name for value, name in self.options}
        if self.value is not None:
            sent.setdefault(self.sent, name_of(self.value))
        return list(sent.items())


class ListFilter(admin.ListFilter):
    """A filter of a list by the parameters `names`, for a person to find in a form."""

    names: ClassVar[tuple[str, ...]]
    title = "filter"  # Django asks for one; the fields have their own
    used_parameters: dict[str, Any]

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Model], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    @classmethod
    def flaw(cls, name: str, value: str) -> str:
        """Return why the list cannot be narrowed to this value; "" if it can."""
        raise NotImplementedError

    def condition(self, model: type[Model], name: str, value: str) -> Any:
        """Return the condition for the rows of a model."""
        raise NotImplementedError

    def fields(self) -> Iterable[Field]:
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for name, value in self.used_parameters.items():
            queryset = queryset.filter(self.condition(queryset.model, name, value))
        return queryset

    def has_output(self) -> bool:
        return True  # what has none Django passes over, its condition as well

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def choices(self, changelist: Any) -> Iterator[Any]:
        return iter(())


def one_of(column: str, choices: Collection[str]) -> type[ListFilter]:
    """Return a filter of a column by the values that it may have, which are known beforehand."""

    class OneOf(ListFilter):
        names = (column,)

        @classmethod
        def flaw(cls, name: str, value: str) -> str:
            return "" if value in choices else f"it must be one of {', '.join(choices)}"

        def condition(self, model: type[Model], name: str, value: str) -> Any:
            return Q((column, value))

        def fields(self) -> Iterable[Field]:
            yield Field(column, words(column), self.used_parameters.get(column), [(each, each) for each in choices])

    return OneOf


def within(column: str, *spans: int) -> type[ListFilter]:
    """Return a filter of a date column by the last so many days up to today, UTC."""
    parameter = f"{column}_within"

    class Within(ListFilter):
        names = (parameter,)

        @classmethod
        def flaw(cls, name: str, value: str) -> str:
            return "" if value in map(str, spans) else f"it must be one of {', '.join(map(str, spans))}"

        def condition(self, model: type[Model], name: str, value: str) -> Any:
            today = datetime.now(UTC).date()
            return Q((f"{column}__range", (today - timedelta(days=int(value)), today)))

        def fields(self) -> Iterable[Field]:
            options = [(str(days), f"last {days} days") for days in spans]
            yield Field(parameter, words(column), self.used_parameters.get(parameter), options)

    return Within


def between(column: str, title: str) -> type[ListFilter]:
    """Return a filter of a column of days, or of times by their day in UTC, from a day and up to another."""
    first, last = f"{column}_from", f"{column}_to"

    class Between(ListFilter):
        names = (first, last)

        @classmethod
        def flaw(cls, name: str, value: str) -> str:
            try:
                is_day = date.fromisoformat(value).isoformat() == value
            except ValueError:
                is_day = False
            return "" if is_day else "it must be a day such as 2024-03-31"

        def condition(self, model: type[Model], name: str, value: str) -> Any:
            bound: date = date.fromisoformat(value)
            if isinstance(model._meta.get_field(column), DateTimeField):
                bound = datetime.combine(bound, time.min if name == first else time.max, UTC)
            return Q((f"{column}__gte" if name == first else f"{column}__lte", bound))

        def fields(self) -> Iterable[Field]:
            for name, word in ((first, "from"), (last, "to")):
                yield Field(name, f"{title} {word}", self.used_parameters.get(name), is_day=True)

    return Between


# Where what a word means stands. Journeys and activities are few: their keys are looked up first, as the server then
# knows from its statistics how many rows have them, and finds them within the key of a window.
COLUMNS: dict[str, tuple[type[Model], str]] = {
    "hospital": (PatientDimension, "hospital"),
    "sex": (PatientDimension, "sex"),
    "age_bracket": (PatientDimension, "age_bracket"),
    "clinician": (PatientJourneyFact, "clinician_id"),
    "month": (PatientJourneyFact, "operation_date"),
    "joint": (JourneyDimension, "joint"),
    "journey": (JourneyDimension, "abbreviation"),
    "activity": (ActivityDimension, "content_slug"),
    "schedule": (ActivityDimension, "schedule__slug"),
    "milestone": (ActivityDimension, "schedule__milestone_slug"),
}
SCHEDULE = Dimension("schedule", "w.schedule")  # by which no page tells windows apart


def by(*words: str) -> type[ListFilter]:
    """Return a filter by words of the adherence page, or by schedule."""

    class By(ListFilter):
        names = words

        @classmethod
        def flaw(cls, name: str, value: str) -> str:
            dimension = dimension_of(name)
            try:
                if value != UNKNOWN:
                    dimension.value_of(value)
            except RefusedError:
                return f"it must be {dimension.written}"
            return ""

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(*conditions(queryset.model, self.used_parameters))

        def fields(self) -> Iterable[Field]:
            for word in words:
                options = [(label, name_of(label)) for label in labels(self.request)[word]]
                yield Field(word, dimension_of(word).title, self.used_parameters.get(word), options)

    return By


def dimension_of(word: str) -> Dimension:
    return DIMENSIONS.get(word, SCHEDULE)


def labels(request: HttpRequest) -> dict[str, list[str]]:
    """Return the values that there are of each word; all fields of a form ask once."""
    found: dict[str, list[str]] | None = getattr(request, "known_labels", None)
    if found is None:
        found = known_labels()
        request.known_labels = found  # type: ignore[attr-defined]
    return found


def has(column: str, dimension: Dimension, label: str) -> Q:
    """Return the condition that a column has the value that an address writes as `label`."""
    if label == UNKNOWN:
        missing = Q((f"{column}__isnull", True))
        return missing | Q((column, label)) if dimension.kind == "text" else missing
    value = dimension.value_of(label)
    if dimension.kind == "month":
        return Q((f"{column}__range", (value, value.replace(day=monthrange(value.year, value.month)[1]))))
    return Q((column, value))


def conditions(model: type[Model], asked: Mapping[str, str]) -> Iterator[Any]:
    """Yield the conditions that a row of a model is as the words say, one for each table where these stand."""
    found: dict[type[Model], Q] = {}
    for word, label in asked.items():
        table, column = COLUMNS[word]
        found[table] = found.get(table, Q()) & has(column, dimension_of(word), label)
    if ActivityDimension in found:
        yield keys_of(ActivityDimension, found[ActivityDimension])
    if JourneyDimension in found:
        journeys = keys_of(JourneyDimension, found[JourneyDimension])
        found[PatientJourneyFact] = found.get(PatientJourneyFact, Q()) & journeys
    for table in (PatientDimension, PatientJourneyFact):
        if table in found:
            yield found[table] if model is table else belongs(table, found[table])


def keys_of(table: type[ActivityDimension | JourneyDimension], found: Q) -> Q:
    """Return the condition that a row has the key of one of the rows of `table` for which `found` holds."""
    return Q((f"{table._meta.pk.column}__in", list(table.objects.filter(found).values_list("pk", flat=True))))


def belongs(table: type[PatientDimension | PatientJourneyFact], found: Q) -> Exists:
    """Return the condition that a row belongs to one of the rows of `table` for which `found` holds.

    By the one key: asked for the patient beside the patient journey, the server would multiply what it expects of each,
    and sort a whole table for the four rows that it thinks are left. Only where both are on workers has it to be asked.
    """
    keys = {str(table._meta.pk.column)}
    with raw_cursor("analytics") as warehouse:
        if placement(warehouse, table._meta.db_table) is Placement.BY_PATIENT:
            keys.add("patient_id")
    return Exists(table.objects.filter(found, **{key: OuterRef(key) for key in keys}))


class StatusOn(Func):
    """How a window stands as of a day: what window_status, the function of the database, says of its row."""

    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, *parts: Any, **context: Any) -> Any:
        row: Any
        row, day = self.source_expressions
        sql, parameters = compiler.compile(day)
        return f"window_status({compiler.quote_name_unless_alias(row.alias)}, {sql})", parameters


class ByStatusToday(one_of("status", ActivityAdherence.Status.values)):  # type: ignore[misc]  # made above
    """A filter of the rows of window_detail by how they stand today, UTC."""

    def condition(self, model: type[Model], name: str, value: str) -> Any:
        today = datetime.now(UTC).date()
        status = StatusOn(F("id"), Value(today, DateField()))
        # The function behind =. Of it the server expects that it holds for each third row, and reads on in the order of
        # the key; of = it would expect that it holds for each two hundredth, and sort the whole table.
        is_so = Func(status, Value(value), function="texteq", output_field=BooleanField())
        # Few are upcoming, if any, and of days the server has statistics: it then reads a long table with several
        # workers, and does not ask of each row how it stands.
        return Q(is_so, window_start_date__gt=today) if value == ActivityAdherence.Status.UPCOMING else is_so


class BySchedule(ListFilter):
    """A filter by the key of a schedule, for a table that knows its activity alone; without a field, as `schedule`."""

    names = ("schedule_id",)

    @classmethod
    def flaw(cls, name: str, value: str) -> str:
        return whole_number(value)

    def condition(self, model: type[Model], name: str, value: str) -> Any:
        return keys_of(ActivityDimension, Q(("schedule_id", int(value))))

    def fields(self) -> Iterable[Field]:
        return ()


class BySurvey(ListFilter):
    """A filter by survey, which the address gives by its key, as that of the scores does."""

    names = ("survey",)

    @classmethod
    def flaw(cls, name: str, value: str) -> str:
        return whole_number(value)

    def condition(self, model: type[Model], name: str, value: str) -> Any:
        return Q(("survey_id", int(value)))

    def fields(self) -> Iterable[Field]:
        surveys = SurveyDimension.objects.order_by("pk").values_list("pk", "slug")
        options = [(str(key), f"{key} · {name_of(slug or '')}") for key, slug in surveys]
        yield Field("survey", "survey", self.used_parameters.get("survey"), options)


def whole_number(value: str) -> str:
    """Return why a value is none that a key can have; "" if it is."""
    digits = value.removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= 10 and -(2**31) <= int(value) < 2**31
    return "" if is_number else f"it must be a whole number from {-(2**31)} to {2**31 - 1}"
