"""What an image file says of itself, read before any decoder touches it: size, depth, and whether it is all there."""
