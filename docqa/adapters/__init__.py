"""Adapters for LangChain, LlamaIndex and Haystack, each a module that needs its framework."""
