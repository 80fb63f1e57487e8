"""Backups while the archive is in use, and the way back.

Owns the backup's directory: its files, its manifest, its lock. Knows no IMAP, no index, no HTTP.
"""

from app.backup.create import BackedUp, back_up
from app.backup.manifest import MANIFEST
from app.backup.restore import Restored, restore

__all__ = ["MANIFEST", "BackedUp", "Restored", "back_up", "restore"]
