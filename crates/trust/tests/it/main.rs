//! What clients that trust somebody believe.

#[cfg(test)]
mod servers;
