"""What a store is, how it came to be so and what will be, on one page for people."""
