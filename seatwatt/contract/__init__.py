"""The nouns that cross a boundary: devices, readings, topics, the site model, rules, errors."""
