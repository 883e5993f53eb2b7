"""The star schema."""

from analytics.models.covid import *
from analytics.models.msk import *
