"""Prints where the providers of Beam YAML are."""

from pathlib import Path

print(Path(__file__).with_name("providers.yaml"))
