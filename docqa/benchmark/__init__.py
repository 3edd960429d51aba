"""How fast this machine asks: stages, readers and runtimes side by side, in one run."""
