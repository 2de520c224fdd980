//! The facts of a machine with engines: a real one, and ones that are not as they should be.

#[cfg(test)]
mod fake;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod real;
#[cfg(test)]
mod support;
#[cfg(test)]
mod swarm;
