use seareeve_inflate::*;
use std::io::Read;
fn main() {
    let mut total = 0u64;
    for f in std::env::args().skip(1) {
        let mut f = std::fs::File::open(f).unwrap();
        let mut h = [0u8; 10];
        f.read_exact(&mut h).unwrap();
        let chunk = std::env::var("K")
            .map(|k| k.parse().unwrap())
            .unwrap_or(256usize)
            * 1024;
        let mut out = vec![0u8; 32768 + chunk];
        let mut at = 0;
        let mut inp = vec![0u8; 128 * 1024];
        let mut have = 0;
        let mut used = 0;
        let mut d = Inflate::new();
        loop {
            let s = d.inflate(&inp[used..have], &mut out, at).unwrap();
            used += s.consumed;
            at += s.produced;
            total += s.produced as u64;
            match s.status {
                Status::Done => break,
                Status::NeedsOutput => {
                    out.copy_within(at - 32768..at, 0);
                    at = 32768;
                }
                Status::NeedsInput => {
                    inp.copy_within(used..have, 0);
                    have -= used;
                    used = 0;
                    let k = f.read(&mut inp[have..]).unwrap();
                    assert!(k > 0);
                    have += k;
                }
            }
        }
    }
    println!("{total}");
}
