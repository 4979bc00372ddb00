"""Recipes side by side: trained over seeds, measured alike, in a table and on a page.

`deployment`, `plots` and `page` build on `tflite_export` and need its packages; they
are loaded where they are used, so that training needs neither.
"""

from zoo.comparison.comparing import Comparison, compare
from zoo.comparison.row import Row

__all__ = ["Comparison", "Row", "compare"]
