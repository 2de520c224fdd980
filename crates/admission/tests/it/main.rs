//! Tests of admission, through the crate's front door.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod images;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod previews;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tallies;
