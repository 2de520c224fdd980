//! Azure read through a fake of it, and from documents that were saved.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod login;
#[cfg(test)]
mod read;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod saved;
#[cfg(test)]
mod support;
