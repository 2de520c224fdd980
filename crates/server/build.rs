//! Makes the folder that `ui.rs` embeds, so that the crate builds before the UI was built (`cargo check` in a fresh
//! clone). A binary built that way says so instead of showing a UI.

fn main() {
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist");
    if let Err(error) = std::fs::create_dir_all(&dist) {
        panic!("failed to make {}: {error}", dist.display());
    }
    println!("cargo::rerun-if-changed={}", dist.display());
}
