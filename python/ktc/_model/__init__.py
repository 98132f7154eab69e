"""What is: networks, their controls and elements, protocols, and the contract of a device."""
