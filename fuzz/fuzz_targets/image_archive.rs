//! Any bytes as an image archive: the outer tar, `docker save`, OCI layouts, packed layers.
#![no_main]

use std::io::Write as _;
use std::ops::ControlFlow;

use camino::Utf8PathBuf;
use libfuzzer_sys::fuzz_target;
use seareeve_image::{Options, Source, read};
use seareeve_model::ImagePath;

fuzz_target!(|archive: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a folder for temporary files");
    file.write_all(archive).expect("space for a temporary file");
    let path = Utf8PathBuf::from_path_buf(file.path().to_owned()).expect("a UTF-8 path");
    let mut options = Options::default();
    options.limits.layer_bytes = 16 << 20;
    // Both ends are fine; only a panic, a hang or memory without end is not.
    let _ = read(
        &Source::Archive(path),
        &options,
        &|_: &ImagePath| true,
        &|_| ControlFlow::Continue(()),
    );
});
