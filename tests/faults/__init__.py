"""Faults at random moments: kills, stop signals, disks that are full."""
