"""Networks, controls, elements and protocols, and the contract of a device."""
