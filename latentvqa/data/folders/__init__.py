"""Folders of image files: what lies in them, and which file a name means."""
