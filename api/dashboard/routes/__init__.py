"""The pages, a file for each part of the navigation: parse, one or two calls of the platform, a template."""
