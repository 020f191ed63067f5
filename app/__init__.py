"""HoverSAM: point at anything in a picture and its mask lights up under the cursor, before any click."""

__version__ = "0.1.0"
