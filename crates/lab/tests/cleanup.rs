//! A lab leaves nothing behind, not even when its test fails.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use seareeve_lab::{Lab, Settings, lodgers};

#[test]
fn a_failing_test_leaves_nothing_behind() {
    let seen: Arc<Mutex<Option<(PathBuf, u32)>>> = Arc::default();
    let told = Arc::clone(&seen);
    let failed = std::thread::spawn(move || {
        let Some(lab) = Lab::start(&Settings {
            is_furnished: true,
            ..Settings::default()
        })
        .unwrap() else {
            return;
        };
        assert_eq!(
            lab.get("/containers/json?all=1")
                .unwrap()
                .as_array()
                .unwrap()
                .len(),
            lodgers(lab.folder()).len()
        );
        *told.lock().unwrap() = Some((lab.folder().to_owned(), lab.pid()));
        panic!("as a test would");
    })
    .join();
    let Some((folder, pid)) = seen.lock().unwrap().clone() else {
        assert!(failed.is_ok());
        return;
    };
    assert!(failed.is_err());
    assert!(!folder.exists());
    assert!(!std::path::Path::new(&format!("/proc/{pid}/stat")).exists());
    let name = folder.display().to_string();
    assert!(
        !std::fs::read_to_string("/proc/self/mountinfo")
            .unwrap()
            .contains(&name)
    );
    for entry in std::fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        assert!(!line.contains(&name), "{line}");
    }
}
