from tests.in_process import cli

__all__ = ["cli"]
