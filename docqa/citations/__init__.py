"""Citations: places with what is needed to find them again, and the check that they hold."""
