"""Tables for the board's signal processing: audio front ends (.hfe), IIR and FIR coefficients."""
