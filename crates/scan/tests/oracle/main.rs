//! The scanner against independent truths of the shared data. One file each: `pairs` compares what matches,
//! `versions` how versions are ordered; `lists` and `tools` serve them.

#[cfg(test)]
mod lists;
#[cfg(test)]
mod pairs;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod versions;
