"""HTTP server: questions to documents for programs and browsers, over the service object."""
