//! Unpacking a gzip stream, beside the decoder that flate2 has.

use std::hint::black_box;
use std::io::{Read as _, Write as _};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seareeve_inflate::{Checksum, Gzip, Status, WINDOW};

/// 16 MiB that pack about as well as programs do, with matches near and far and a literal or two between them.
fn content() -> Vec<u8> {
    let mut state: u64 = 1;
    let mut below = |end: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((state >> 33) % end) as usize
    };
    let mut content: Vec<u8> = (0..256).map(|_| below(256) as u8).collect();
    while content.len() < 16 << 20 {
        let reach = (content.len() - 64).min(1 << below(15));
        let from = content.len() - 64 - below(reach as u64 + 1);
        let length = 4 + below(14);
        content.extend_from_within(from..from + length);
        // Low bytes are frequent, as in programs.
        for _ in 0..below(4) {
            let byte = below(256) & below(256);
            content.push(byte as u8);
        }
    }
    content
}

fn ours(packed: &[u8], checksum: Checksum) -> usize {
    let mut decoder = Gzip::new(checksum);
    let mut out = vec![0; WINDOW + 256 * 1024];
    let mut total = 0;
    let mut at = 0;
    for mut piece in packed.chunks(128 * 1024) {
        loop {
            let from = at;
            let status = decoder
                .inflate(&mut piece, &mut out, &mut at)
                .expect("zlib made it");
            total += at - from;
            black_box(&out);
            if status == Status::NeedsInput {
                break;
            }
            out.copy_within(at - WINDOW..at, 0);
            at = WINDOW;
        }
    }
    decoder.finish().expect("it is whole");
    total
}

fn zlib(packed: &[u8]) -> usize {
    let mut decoder = flate2::bufread::GzDecoder::new(packed);
    let mut out = vec![0; 256 * 1024];
    let mut total = 0;
    while let Ok(length @ 1..) = decoder.read(&mut out) {
        total += length;
        black_box(&out);
    }
    total
}

fn benchmark(criterion: &mut Criterion) {
    let content = content();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&content).expect("a Vec takes any amount");
    let packed = encoder.finish().expect("a Vec takes any amount");
    assert_eq!(ours(&packed, Checksum::Verify), content.len());
    assert_eq!(zlib(&packed), content.len());

    let mut group = criterion.benchmark_group("gunzip");
    group.throughput(Throughput::Bytes(content.len() as u64));
    group.sample_size(10);
    group.bench_function("ours", |bencher| {
        bencher.iter(|| ours(black_box(&packed), Checksum::Skip));
    });
    group.bench_function("ours with CRC-32", |bencher| {
        bencher.iter(|| ours(black_box(&packed), Checksum::Verify));
    });
    group.bench_function("flate2", |bencher| {
        bencher.iter(|| zlib(black_box(&packed)));
    });
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
