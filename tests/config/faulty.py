"""What is wrong with a configuration, line by line."""

import pytest

from latentvqa.config import load_config
from latentvqa.errors import ConfigError

DATA = '[data]\nscenes = "easy"\n'


def faults_of(*arguments, **options):
    """The lines of the error of loading, without its heading."""
    with pytest.raises(ConfigError) as caught:
        load_config(*arguments, **options)
    heading, *lines = str(caught.value).splitlines()
    assert heading == (
        f"{len(lines)} faults in the configuration:" if len(lines) > 1 else "configuration:"
    )
    return [line.strip() for line in lines]
