"""Values of every version that older programs wrote, and the way from each to the newest. Pure."""
