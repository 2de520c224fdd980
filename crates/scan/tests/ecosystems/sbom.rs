//! Inventories as SBOMs and back: `round_trip` of our own, `foreign` what others write, `form` what the formats
//! ask for, `findings` that a document has the findings of its image, `hostile` what must do no harm.

mod findings;
mod foreign;
mod form;
mod hostile;
mod round_trip;

use std::path::PathBuf;

use jiff::Timestamp;
use seareeve_model::{Finding, Inventory};
use seareeve_scan::sbom::{self, Format};

use crate::{golden, made};

const FORMATS: [Format; 2] = [Format::CycloneDx, Format::Spdx];

fn written(format: Format, inventory: &Inventory, findings: Option<&[Vec<Finding>]>) -> Vec<u8> {
    let mut document = Vec::new();
    let time = sbom::time_of(inventory);
    sbom::write(format, inventory, findings, time, &mut document).unwrap();
    document
}

fn json(document: &[u8]) -> serde_json::Value {
    serde_json::from_slice(document).unwrap()
}

/// A file of the folder of fixtures.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/sbom")).join(name)
}

/// The inventory of an image in text form.
fn image(name: &str) -> Inventory {
    let text = std::fs::read_to_string(fixture(&format!("{name}.image"))).unwrap();
    made::inventory(&golden::layers(&text))
}

/// With everything that documents can say: a date, a problem, a second layer.
fn rich() -> Inventory {
    let mut inventory = image("debian");
    inventory.image.created = Some(Timestamp::from_second(1_700_000_000).unwrap());
    let problem = seareeve_model::Problem::new(
        seareeve_model::ProblemCode::FileUnreadable,
        "a/b",
        "made \"up\"\n",
    );
    inventory.problems.push(problem);
    inventory
}
