//! The binary as its users run it: arguments in, text and exit code out.

mod db;
mod image;
mod manners;
mod support;
