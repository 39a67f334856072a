"""Records that say the same, exactly or nearly: how they are found, and what becomes of them."""
