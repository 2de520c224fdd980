//! DEFLATE (RFC 1951) and gzip (RFC 1952), decoded as a stream into buffers of the caller.
//!
//! Inflating is nine tenths of what scanning a gzip layer costs, and no library that builds everywhere and
//! streams comes near libdeflate, which wants the whole of a file in memory. This decoder works as libdeflate
//! does (a 64-bit bit buffer, tables of two levels whose entries hold all that a symbol says, words copied
//! instead of bytes) and stops and goes on at any byte of input and output.

mod decode;
mod table;

pub use decode::{Inflate, InflateError, Status, Step};
