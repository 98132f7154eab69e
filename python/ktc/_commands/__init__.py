"""The command line, its demonstration and its reports."""
