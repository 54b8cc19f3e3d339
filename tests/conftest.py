import os

from hypothesis import settings

# before huggingface_hub reads it: no test touches the network
os.environ["HF_HUB_OFFLINE"] = "1"

# the same examples in every run, and no limit of time for a busy machine;
# ``--hypothesis-profile default`` draws others
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
