import os

from hypothesis import settings

# before huggingface_hub reads it: no test touches the network
os.environ["HF_HUB_OFFLINE"] = "1"

# files that are tested at the same time share the cores, and so do the processes they start
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

# the same examples in every run, and no limit of time for a busy machine;
# ``--hypothesis-profile default`` draws others
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
