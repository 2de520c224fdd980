//! Our detections by themselves.

use crate::support::builtin;

#[test]
fn every_example_does_as_it_says() {
    let engine = builtin();
    let results = seareeve_audit::run_examples(&engine);
    let faults: Vec<String> = results
        .iter()
        .filter_map(|result| {
            let fault = result.fault.as_ref()?;
            Some(format!("{}: {}: {fault}", result.id, result.name))
        })
        .collect();
    assert!(results.len() > 150, "{}", results.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
