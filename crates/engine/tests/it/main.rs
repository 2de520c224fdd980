//! Engines, asked through the crate's front door.

#[cfg(test)]
mod client;
