import os

# before huggingface_hub reads it: no test touches the network
os.environ["HF_HUB_OFFLINE"] = "1"
