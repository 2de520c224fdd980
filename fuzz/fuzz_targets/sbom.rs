//! What a command line sends to a server: any bytes must be refused, or be an inventory that survives the way back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seareeve_api::Sbom;
use seareeve_model::{ImageReference, Inventory};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(reference) = text.parse::<ImageReference>()
    {
        assert_eq!(
            reference.to_string().parse::<ImageReference>().ok(),
            Some(reference)
        );
    }
    let Ok(sbom) = serde_json::from_slice::<Sbom>(data) else {
        return;
    };
    if let Ok(inventory) = Inventory::try_from(sbom) {
        assert_eq!(
            Inventory::try_from(Sbom::from(&inventory)).ok(),
            Some(inventory)
        );
    }
});
