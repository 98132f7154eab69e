"""Planning of learning runs: expected costs, best rates, and plans within a budget."""
