"""Databases, one file each: tables to a Source, records to signals. Must not know stores."""
