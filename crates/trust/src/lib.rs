//! Whom TLS clients believe that they are who they say: the authorities that browsers trust, those that a user names,
//! and single certificates that he names.
//!
//! The last is why there is a crate for this. `openssl req -x509`, by which registries and servers in closed networks
//! get their certificates, makes one that says of itself that it is an authority's. RFC 5280 lets no such certificate be
//! a server's, and rustls keeps to that; Go, OpenSSL and so Docker, kubectl and curl do not when it is the very one that
//! they were told to trust. Neither does this. (Clients of Kubernetes, which may have certificates themselves, are
//! ureq's own and keep to rustls.)

mod authorities;
mod speak;
mod verify;

pub use authorities::{Authorities, AuthoritiesError};
pub use speak::{agent, agent_resolving, is_stranger};
