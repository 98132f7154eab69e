"""Netlists of linear circuits as people write them, and what ngspice finds for each."""
