"""Charts as inline SVG, drawn on the server: no script draws anything, and no style stands in the markup.

Each is an expression in the view and prints itself in a template, as a figure with its legend, its picture and the
table that says the same. Across it counts in percent of its width, so that text stays as large on a phone as elsewhere;
down in pixels.
"""

from analytics.charts.bars import Bar, Part, StackedBars
from analytics.charts.figure import name_of
from analytics.charts.lines import DayLines, Line, Lines, Point
from analytics.charts.timeline import Mark, Milestone, Span, TimeLine
from analytics.charts.times import TimeBar, TimeBars

__all__ = [
    "Bar",
    "DayLines",
    "Line",
    "Lines",
    "Mark",
    "Milestone",
    "Part",
    "Point",
    "Span",
    "StackedBars",
    "TimeBar",
    "TimeBars",
    "TimeLine",
    "name_of",
]
