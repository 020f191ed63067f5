"""The recipe of a session as a file: its picture by hash, its model, and what makes its objects again.

Decision: what leads to the objects as they are, not all that was ever done. Context: a person moves a point a thousand
times, and a mask depends on its object's trail alone. Choice: a file has each object's trail; it stays as small as the
session's objects. Price: the undo steps are not in it.
"""

from __future__ import annotations

import msgspec

from app.exports.names import picture_name
from app.exports.selection import Selection
from app.protocol.recipe import FORMAT, VERSION, Recipe, RecipeObject


def recipe_json(selection: Selection) -> bytes:
    """Return the recipe of a selection."""
    image = selection.image
    recipe = Recipe(
        format=FORMAT,
        version=VERSION,
        image_id=image.image_id,
        name=None if selection.name is None else picture_name(selection.name, image),
        width=image.width,
        height=image.height,
        model=selection.model,
        classes=selection.classes.entries,
        objects=tuple(
            RecipeObject(id=each.item.id, name=each.item.name, color=each.item.color, trail=each.item.trail)
            for each in selection.objects
        ),
    )
    return msgspec.json.format(msgspec.json.encode(recipe), indent=2)
