//! Tests of the webhook: over TLS, with a server that is there, is away, or says nonsense.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod server;
#[cfg(test)]
mod support;
