"""The celeriac command."""
