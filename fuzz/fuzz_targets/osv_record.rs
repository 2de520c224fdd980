//! OSV records: any bytes as a record must be used or said to be unusable, and what is built must be whole.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use seareeve_model::DatabaseKind;
use seareeve_scan::advisories::{Builder, Database};

fuzz_target!(|data: &[u8]| {
    let mut builder = Builder::new(DatabaseKind::Full, Timestamp::UNIX_EPOCH);
    if builder.add_json("record", data).is_err() {
        return;
    }
    if let Ok((bytes, _report)) = builder.finish() {
        let database = Database::from_bytes(bytes).expect("what we build we can open");
        database.verify().expect("what we build is whole");
    }
});
