"""Circuits of resistors, capacitors, inductors and sources, from elements or a netlist."""
