"""Where and how a command runs: device, signals, observer, locks."""
