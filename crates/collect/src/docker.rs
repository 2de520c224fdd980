//! What an engine says of itself, its containers, images, networks and volumes, and what the host tells of it.

pub(crate) mod discover;
pub(crate) mod engine;

mod ask;
mod command_line;
mod config_file;
mod container;
mod daemon;
mod environment;
mod gathered;
mod history;
mod image;
mod network;
mod options;
mod process;
pub(crate) mod silent;
mod swarm;
mod time;
mod user;
mod version;
mod volume;

pub(crate) use gathered::Gathered;
