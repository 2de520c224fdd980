//! Tests of the language, through the crate's front door.

mod cases;

mod support;
