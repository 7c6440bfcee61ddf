"""From the bytes of a message to readings and facts, strictly: what cannot be understood exactly is refused."""
