"""What the findings of an audit are called where people read them; programs get the codes."""

from __future__ import annotations

NAMES = {
    "DA001": "images on both sides",
    "DA002": "copied images on both sides",
    "DA003": "contradicting answers",
    "DA004": "repeated rows",
    "DA005": "answers that training never gives",
    "DA006": "one answer to a whole type",
    "DA007": "right without images",
    "DA008": "cut questions",
    "DA009": "cut answers",
    "DA010": "unusable images",
    "DA011": "unknown words",
    "DA012": "copied images",
    "DA013": "no answers",
    "DA014": "near-copies on both sides",
    "DA015": "near-copies of images",
    "DA016": "images of another folder",
    "DA017": "words in two spellings",
}
