//! DEFLATE (RFC 1951) and gzip (RFC 1952), decoded as a stream into buffers of the caller.
//!
//! Inflating is nine tenths of what scanning a gzip layer costs, and no library that builds everywhere and
//! streams comes near libdeflate, which wants the whole of a file in memory. This decoder works as libdeflate
//! does (a 64-bit bit buffer, tables of two levels whose entries hold all that a symbol says, words copied
//! instead of bytes) and stops and goes on at any byte of input and output. It accepts what zlib accepts, and
//! refuses what zlib refuses where zlib does or before.
//!
//! It must not allocate by what the input says, and has no business with files, threads or `Read`.

mod bits;
mod decode;
mod entry;
mod fast;
mod gzip;
mod symbols;
mod table;

pub use decode::{Inflate, InflateError, Status};
pub use gzip::{Checksum, Gzip, GzipError};

/// How far a match may reach back: the history that a caller keeps in front of the place to write to.
pub const WINDOW: usize = 32 * 1024;
