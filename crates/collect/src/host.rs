//! What a machine says of itself: files, users, mounts, audit rules, processes. Nothing here knows an engine.

pub(crate) mod audit;
pub(crate) mod files;
pub(crate) mod identity;
pub(crate) mod inside;
pub(crate) mod managed;
pub(crate) mod mounts;
pub(crate) mod processes;
pub(crate) mod root;
pub(crate) mod sockets;
pub(crate) mod sudoers;
pub(crate) mod units;
pub(crate) mod users;
