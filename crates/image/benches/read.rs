//! Reading a gzip layer, against the bare work that cannot be avoided: inflating and hashing it.

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;

use camino::Utf8PathBuf;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seareeve_image::{Options, Source, read};
use seareeve_model::ImagePath;
use sha2::Digest as _;

/// 4,000 files of 16 KiB that pack about as well as programs do.
fn layer() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut state: u64 = 1;
    for file in 0..4_000 {
        let content: Vec<u8> = (0..16 * 1024)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                ((state >> 59) * 7) as u8
            })
            .collect();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let name = format!("usr/lib/package-{file}/file");
        builder
            .append_data(&mut header, name, content.as_slice())
            .expect("a Vec takes any amount");
    }
    builder.into_inner().expect("a Vec takes any amount")
}

fn hex(bytes: &[u8]) -> String {
    let hash = sha2::Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn append(builder: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    builder
        .append_data(&mut header, name, content)
        .expect("a Vec takes any amount");
}

fn archive(layer: &[u8], packed: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, "layer.tar", packed);
    let config = format!(r#"{{"rootfs":{{"diff_ids":["sha256:{}"]}}}}"#, hex(layer));
    append(&mut builder, "config", config.as_bytes());
    let manifest = br#"[{"Config":"config","Layers":["layer.tar"]}]"#;
    append(&mut builder, "manifest.json", manifest);
    builder.into_inner().expect("a Vec takes any amount")
}

fn benchmark(criterion: &mut Criterion) {
    let layer = layer();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&layer).expect("a Vec takes any amount");
    let packed = encoder.finish().expect("a Vec takes any amount");
    let mut file = tempfile::NamedTempFile::new().expect("a folder for temporary files");
    file.write_all(&archive(&layer, &packed))
        .expect("space for a temporary file");
    let path = Utf8PathBuf::from_path_buf(file.path().to_owned()).expect("a UTF-8 path");
    let source = Source::Archive(path);

    let mut group = criterion.benchmark_group("gzip layer");
    group.throughput(Throughput::Bytes(layer.len() as u64));
    group.sample_size(10);
    group.bench_function("bare inflate", |bencher| {
        bencher.iter(|| {
            let mut decoder = flate2::bufread::MultiGzDecoder::new(packed.as_slice());
            let mut chunk = vec![0; 256 * 1024];
            let mut total = 0;
            while let Ok(length @ 1..) = decoder.read(&mut chunk) {
                total += length;
            }
            black_box(total)
        });
    });
    group.bench_function("bare hash", |bencher| {
        bencher.iter(|| black_box(sha2::Sha256::digest(&layer)));
    });
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            let contents = read(
                &source,
                &Options::default(),
                &|path: &ImagePath| path.as_bytes().ends_with(b"-7/file"),
                &|_| ControlFlow::Continue(()),
            );
            black_box(contents.expect("a good image"))
        });
    });
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
