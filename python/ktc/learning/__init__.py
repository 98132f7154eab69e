"""Learning of any parameters: gradients from replicas, F and ζ known or measured, and what it
costs. ``ktc.learn`` is the way in.
"""
