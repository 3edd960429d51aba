"""Endpoints by subject: each module makes its part of the table."""
