//! What a command line sends to a server: any bytes must be refused, or be an inventory that survives the way back.

use seareeve_api::Sbom;
use seareeve_model::Inventory;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "sbom_upload",
    run,
    longest: 6 << 10,
    seeds,
    words: &[
        "\"schema_version\"",
        "\"image\"",
        "\"packages\"",
        "\"kind\"",
        "\"ecosystem\"",
        "\"purl\"",
        "\"path\"",
        "\"layer\"",
        "\"problems\"",
        "\"code\"",
        "\"distro\"",
        "\"deb\"",
        "\"pypi\"",
    ],
};

fn run(data: &[u8]) {
    let Ok(sbom) = serde_json::from_slice::<Sbom>(data) else {
        return;
    };
    if let Ok(inventory) = Inventory::try_from(sbom) {
        made::check(&inventory);
        assert_eq!(
            Inventory::try_from(Sbom::from(&inventory)).ok(),
            Some(inventory)
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let sent = Sbom::from(&made::sample().0);
    vec![serde_json::to_vec(&sent).expect("our own types are JSON")]
}
