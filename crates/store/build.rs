//! Tells cargo that the migrations are part of this crate: a new file would otherwise not be noticed.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
