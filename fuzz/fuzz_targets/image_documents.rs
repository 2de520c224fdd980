//! Any JSON as manifest, index and configuration. The input's first byte chooses which; the rest is put
//! into an otherwise good archive, so that the fuzzer need not find its way through a tar first.
#![no_main]

use std::io::Write as _;
use std::ops::ControlFlow;

use camino::Utf8PathBuf;
use libfuzzer_sys::fuzz_target;
use seareeve_image::{Options, Source, read};
use seareeve_model::ImagePath;

const HEX: &str = "abababababababababababababababababababababababababababababababab";

fuzz_target!(|input: &[u8]| {
    let Some((choice, json)) = input.split_first() else {
        return;
    };
    let blob = format!("blobs/sha256/{HEX}");
    let digest = format!(r#"{{"digest":"sha256:{HEX}","size":1}}"#);
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{digest}]}}"#);
    let docker = format!(r#"[{{"Config":"{blob}","Layers":["{blob}"]}}]"#);
    let files: [(&str, &[u8]); 2] = match choice % 4 {
        0 => [("manifest.json", json), (&blob, json)],
        1 => [("manifest.json", docker.as_bytes()), (&blob, json)],
        2 => [("index.json", json), (&blob, json)],
        _ => [("index.json", index.as_bytes()), (&blob, json)],
    };
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder
            .append_data(&mut header, name, content)
            .expect("a Vec takes any amount");
    }
    let archive = builder.into_inner().expect("a Vec takes any amount");
    let mut file = tempfile::NamedTempFile::new().expect("a folder for temporary files");
    file.write_all(&archive)
        .expect("space for a temporary file");
    let path = Utf8PathBuf::from_path_buf(file.path().to_owned()).expect("a UTF-8 path");
    let _ = read(
        &Source::Archive(path),
        &Options::default(),
        &|_: &ImagePath| true,
        &|_| ControlFlow::Continue(()),
    );
});
