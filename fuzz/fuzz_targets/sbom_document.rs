//! An SBOM in a format of others: any bytes must be refused, or be an inventory that survives being written and
//! read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seareeve_scan::sbom::{self, Format};

fuzz_target!(|data: &[u8]| {
    let Ok(inventory) = sbom::read(data) else {
        return;
    };
    for format in [Format::CycloneDx, Format::Spdx] {
        let mut document = Vec::new();
        let time = sbom::time_of(&inventory);
        sbom::write(format, &inventory, None, time, &mut document).expect("a Vec takes all bytes");
        assert_eq!(sbom::read(&document).ok().as_ref(), Some(&inventory));
    }
});
