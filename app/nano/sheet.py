"""Twenty prompts on photographs that were never trained on, drawn on one sheet for people to judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.engine.contract import Engine, Prompt
from app.masks.upsampling import upsampled_mask

Array = NDArray[Any]
TINT = np.array([30, 144, 255], np.float32)
TILE = (320, 224)
COLUMNS = 5


@dataclass(frozen=True)
class Trial:
    """One prompt: a click, a box, or a click with further ones."""

    photo: str
    what: str
    points: tuple[tuple[float, float, int], ...] = ()
    box: tuple[float, float, float, float] | None = None

    @property
    def prompt(self) -> Prompt:
        """The engine's prompt."""
        places, labels = tuple((x, y) for x, y, _ in self.points), tuple(label for *_, label in self.points)
        return Prompt(places, labels, self.box, multimask=len(self.points) == 1 and self.box is None)


TRIALS = (
    Trial("chelsea.png", "cat's face", ((225, 130, 1),)),
    Trial("chelsea.png", "left eye", ((171, 116, 1),)),
    Trial("chelsea.png", "right eye", ((277, 107, 1),)),
    Trial("chelsea.png", "nose", ((233, 165, 1),)),
    Trial("chelsea.png", "left ear", ((113, 28, 1),)),
    Trial("chelsea.png", "head, box", (), (66, 3, 372, 250)),
    Trial("chelsea.png", "wall", ((430, 60, 1),)),
    Trial("coffee.png", "coffee", ((260, 160, 1),)),
    Trial("coffee.png", "saucer", ((120, 230, 1),)),
    Trial("coffee.png", "spoon", ((480, 225, 1),)),
    Trial("coffee.png", "cup, box", (), (135, 45, 440, 300)),
    Trial("coffee.png", "saucer, box", (), (60, 40, 560, 385)),
    Trial("coffee.png", "table", ((40, 350, 1),)),
    Trial("coffee.png", "cup, two clicks", ((260, 160, 1), (330, 255, 1))),
    Trial("rocket.jpg", "rocket", ((321, 160, 1),)),
    Trial("rocket.jpg", "rocket, box", (), (300, 60, 345, 375)),
    Trial("rocket.jpg", "sky", ((120, 60, 1),)),
    Trial("rocket.jpg", "fire", ((330, 395, 1),)),
    Trial("rocket.jpg", "left mast", ((128, 250, 1),)),
    Trial("rocket.jpg", "tower", ((405, 200, 1),)),
)


def sheet(engine: Engine, photos: dict[str, Array]) -> Image.Image:
    """Return all trials side by side: the mask tinted, the prompt drawn, the score written."""
    embeddings = {name: engine.encode(photo) for name, photo in photos.items()}
    tiles = []
    for trial in TRIALS:
        photo = photos[trial.photo]
        found = engine.decode(embeddings[trial.photo], [trial.prompt])[0]
        mask = upsampled_mask(found.logits[found.best], (photo.shape[0], photo.shape[1]))
        tiles.append(draw(photo, mask, trial, float(found.scores[found.best])))
    rows = -(-len(tiles) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * TILE[0], rows * TILE[1]), "white")
    for index, tile in enumerate(tiles):
        page.paste(tile, (index % COLUMNS * TILE[0], index // COLUMNS * TILE[1]))
    return page


def draw(photo: Array, mask: Array, trial: Trial, score: float) -> Image.Image:
    """Return one tile."""
    tinted = np.where(mask[..., None], photo * 0.45 + TINT * 0.55, photo).astype(np.uint8)
    picture = Image.fromarray(tinted)
    pen = ImageDraw.Draw(picture)
    for x, y, label in trial.points:
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill="lime" if label else "red", outline="white", width=2)
    if trial.box:
        pen.rectangle(trial.box, outline="yellow", width=3)
    picture = picture.resize(TILE)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, TILE[0], 14), fill="black")
    pen.text((4, 1), f"{trial.what}  {score:.2f}", fill="white")
    return picture
