"""Citations: places that can be found again, and the check that they hold."""
