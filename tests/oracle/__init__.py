"""A slow, plain second implementation of the design's sections 4 and 5; shares no product code."""
