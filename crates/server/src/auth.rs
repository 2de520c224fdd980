//! Who is asking: passwords, secrets, sessions, tokens, and the limit on guessing.

pub(crate) mod caller;
pub(crate) mod limit;
pub(crate) mod password;
pub(crate) mod secret;
pub(crate) mod sensor;
