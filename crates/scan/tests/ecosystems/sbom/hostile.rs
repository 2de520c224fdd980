//! Whatever a document holds, reading it ends, and what it yields is bounded.

use std::fmt::Write as _;

use proptest::prelude::*;
use seareeve_model::{Problem, ProblemCode};
use seareeve_scan::sbom::{self, ReadError};

use super::{FORMATS, rich, written};

#[test]
fn deep_documents_are_read_or_refused() {
    let mut nested =
        r#"{"type": "library", "name": "a", "purl": "pkg:npm/a@1", "components": ["#.repeat(10_000);
    nested.push_str(&"]}".repeat(10_000));
    let document =
        format!(r#"{{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{nested}]}}"#);
    let inventory = sbom::read(document.as_bytes()).unwrap();
    assert_eq!(inventory.packages.len(), 1);
    let messages: Vec<&str> = inventory
        .problems
        .iter()
        .map(|p| p.message.as_str())
        .collect();
    assert_eq!(
        messages,
        ["a: the components in it stand too deep to be read"]
    );

    let deep = "[".repeat(1_000_000);
    for document in [
        deep.clone(),
        format!("{{\"metadata\": {deep}"),
        format!("{{\"bomFormat\": {deep}"),
    ] {
        assert!(matches!(
            sbom::read(document.as_bytes()),
            Err(ReadError::NotJson(_))
        ));
    }
    let text = serde_json::Value::from("[".repeat(100_000)).to_string();
    assert!(sbom::read(text.as_bytes()).is_err());
}

#[test]
fn packages_and_problems_are_bounded() {
    let mut document =
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": ["#.to_owned();
    for number in 0..200_100 {
        let comma = if number == 0 { "" } else { "," };
        write!(document, r#"{comma}{{"type":"library","name":"p{number}","purl":"pkg:npm/p{number}@1","properties":[{{"name":"aquasecurity:trivy:LayerDiffID","value":"sha256:{number:064x}"}}]}}"#).unwrap();
    }
    for number in 0..10_000 {
        write!(
            document,
            r#",{{"type":"library","name":"x","purl":"pkg:x{number}/x@1"}},3"#
        )
        .unwrap();
    }
    document.push_str("]}");
    let inventory = sbom::read(document.as_bytes()).unwrap();
    assert_eq!(inventory.packages.len(), 200_000);
    assert!(
        inventory.problems.len() < 110,
        "{}",
        inventory.problems.len()
    );
    assert!(
        inventory.image.layers.len() <= 1_001,
        "{}",
        inventory.image.layers.len()
    );
    let messages: Vec<&str> = inventory
        .problems
        .iter()
        .map(|p| p.message.as_str())
        .collect();
    assert!(
        messages.contains(&"10100 more records were left out"),
        "{messages:?}"
    );
    assert!(
        messages.contains(&"a component is not as CycloneDX has it (10000 times)"),
        "{messages:?}"
    );
}

#[test]
fn lists_of_our_own_are_bounded_and_what_is_left_out_is_counted() {
    let mut inventory = rich();
    inventory.problems = (0..12_003)
        .map(|number| Problem::new(ProblemCode::FileUnreadable, format!("{number:05}"), "x"))
        .collect();
    for format in FORMATS {
        let read = sbom::read(&written(format, &inventory, None)).unwrap();
        assert_eq!(read.problems.len(), 12_001, "{format:?}");
        let limit = read
            .problems
            .iter()
            .find(|problem| problem.place == "SBOM")
            .unwrap();
        assert_eq!(limit.message, "3 more records were left out");
    }
}

#[test]
fn what_is_larger_than_the_limit_is_not_looked_at() {
    let large = vec![b' '; sbom::LARGEST + 1];
    assert!(matches!(sbom::read(&large), Err(ReadError::TooLarge(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A document of ours in which some bytes are others: refused, or read the same each time, into packages
    /// whose layers are there and whose package URLs can be read.
    #[test]
    fn damaged_documents_do_no_harm(
        format in proptest::sample::select(FORMATS.to_vec()),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        end in any::<proptest::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut document = written(format, &rich(), None);
        for (at, byte) in damage {
            let at = at.index(document.len());
            // Most other bytes would end the reading at once.
            document[at] = if byte % 2 == 0 { b'0' + byte % 10 } else { byte };
        }
        if cut {
            document.truncate(end.index(document.len()));
        }
        if let Ok(inventory) = sbom::read(&document) {
            let layers = u32::try_from(inventory.image.layers.len()).unwrap();
            prop_assert!(inventory.packages.is_sorted() && inventory.problems.is_sorted());
            for installed in &inventory.packages {
                prop_assert!(installed.layer < layers);
                let purl = installed.package.purl.as_str();
                prop_assert!(purl.parse::<seareeve_model::Purl>().is_ok());
            }
            prop_assert_eq!(&sbom::read(&document).unwrap(), &inventory);
            for format in FORMATS {
                prop_assert_eq!(&sbom::read(&written(format, &inventory, None)).unwrap(), &inventory);
            }
        }
    }
}
