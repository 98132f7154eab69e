"""What a run of learning will cost, and which run to choose."""
