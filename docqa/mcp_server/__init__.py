"""Tools for agents over the Model Context Protocol: quotes with handles that can be checked."""
