//! Falco's public rule files, unmodified.

use std::sync::Arc;

use seareeve_detect::{Detector, Loader, Options};
use serde_json::json;

use crate::support::{errors, event, load, shared, sources};

/// Rules, of them those that are on.
const FILES: &[(&str, usize, usize)] = &[
    ("falco_rules.yaml", 25, 25),
    ("falco-incubating_rules.yaml", 31, 31),
    ("falco-sandbox_rules.yaml", 37, 25),
];

#[test]
fn load_without_a_word() {
    for (name, rules, enabled) in FILES {
        let Some(text) = shared(&format!("falco/rules/{name}")) else {
            return;
        };
        let loaded = load(&[(name, &text)]);
        assert_eq!(errors(&loaded), Vec::<String>::new());
        assert_eq!(loaded.engine.rules().count(), *rules, "{name}");
        let on = loaded.engine.rules().filter(|rule| rule.is_enabled);
        assert_eq!(on.count(), *enabled, "{name}");
        // The warnings are few, and true.
        let warnings: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(format!("warnings-{name}"), warnings.join("\n"));
    }
}

#[test]
fn load_beside_each_other() {
    let mut loader = Loader::new(sources(), Options::default());
    for (name, ..) in FILES {
        let Some(text) = shared(&format!("falco/rules/{name}")) else {
            return;
        };
        loader.file(name, &text);
    }
    let loaded = loader.finish();
    assert_eq!(errors(&loaded), Vec::<String>::new());
    let mut detector = Detector::new(Arc::new(loaded.engine));
    let shadow = json!({
        "evt.type": "openat", "evt.is_open_read": true, "fd.typechar": "f", "fd.num": 3,
        "fd.name": "/etc/shadow", "fd.directory": "/etc", "proc.name": "cat", "proc.pname": "bash",
        "proc.cmdline": "cat /etc/shadow", "container.id": "3f1a", "user.name": "www",
    });
    let alerts = detector.see("syscall", &event(&shadow));
    let names: Vec<&str> = alerts.iter().map(|alert| alert.rule.as_str()).collect();
    assert_eq!(names, ["Read sensitive file untrusted"]);
    assert!(
        alerts[0].output.contains("file=/etc/shadow"),
        "{}",
        alerts[0].output
    );
    let harmless = json!({
        "evt.type": "openat", "evt.is_open_read": true, "fd.typechar": "f", "fd.num": 3,
        "fd.name": "/etc/hostname", "fd.directory": "/etc", "proc.name": "cat", "container.id": "3f1a",
    });
    assert!(detector.see("syscall", &event(&harmless)).is_empty());
}
