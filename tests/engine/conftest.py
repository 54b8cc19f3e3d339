from tests.small_runs import finished

__all__ = ["finished"]
