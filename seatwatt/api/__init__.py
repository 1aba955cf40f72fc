"""The API: it reads, calls billing, and shows; it computes no number of its own."""
