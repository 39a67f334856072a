"""Health: what a store's figures say, with the next step beside every complaint."""
