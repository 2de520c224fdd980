//! Decodes streams through the crate's front door, beside zlib.

#[cfg(test)]
mod blocks;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod gzip;
#[cfg(test)]
mod random;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod support;
#[cfg(test)]
mod writer;
