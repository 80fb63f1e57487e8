"""Letterbook: a self-hosted, searchable archive of a team's e-mail."""
