//! The seareeve binary: arguments and printing.
