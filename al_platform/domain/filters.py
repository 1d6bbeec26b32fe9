"""The filter language of frames: where it is explained. `catalog.filters` turns it into a question.

A filter is terms joined by commas, all of which must hold; an empty one matches every frame. `=` and `!=` take
alternatives separated by `|`; `<`, `<=`, `>` and `>=` take one number. Names are columns of a frame or names of tags.
Numbers are equal as numbers, 60 and 60.0; a frame without the tag is equal to nothing, so `!=` matches it.
Two `=` terms of one name that no frame can satisfy together, `split=a,split=b`, are refused: either is `split=a|b`.
"""

FILTER_HELP = (
    "NAME=A|B, NAME!=A|B or NAME>=NUMBER (also <, <=, >), joined by commas, all of which must hold; "
    "NAME is a column of a frame or a tag"
)
"""The language in a line, for those who are asked for a filter."""
