//! Everything that Seareeve fetches from outside. It brings bytes and says what it could not bring; what they
//! mean is judged elsewhere.

pub mod feeds;
pub mod kubernetes;
