"""The whole loop on the sample bank: what `tiku demo` runs."""
