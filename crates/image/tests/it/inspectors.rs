//! Files that are looked at while they pass by: in a stream, in place, and in a directory.

use std::ops::ControlFlow;

use seareeve_image::{Contents, FileFacts, Inspector, Options, Selector, Source, Verify, read};
use seareeve_model::ImagePath;

use crate::support::Entry::{Dir, File, HardLink};
use crate::support::{Entry, docker, gzip, oci, tar};

/// Keeps `kept` whole, and remembers of every file that is executable or large its size, its first two bytes and
/// its last one, leaving out what is between.
struct Ends;

impl Selector for Ends {
    fn keeps(&self, path: &ImagePath) -> bool {
        path.as_bytes() == b"kept"
    }

    fn inspector(&self, path: &ImagePath, file: FileFacts) -> Option<Box<dyn Inspector + '_>> {
        if path.as_bytes() == b"small" {
            assert!(!file.is_executable);
            return None;
        }
        Some(Box::new(End {
            size: file.size,
            passed: 0,
            seen: Vec::new(),
            last: None,
        }))
    }
}

struct End {
    size: u64,
    passed: u64,
    seen: Vec<u8>,
    last: Option<u8>,
}

impl Inspector for End {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        assert!(!bytes.is_empty(), "pieces are never empty");
        for byte in bytes {
            if self.seen.len() < 2 {
                self.seen.push(*byte);
            }
            self.last = Some(*byte);
        }
        self.passed += bytes.len() as u64;
        ControlFlow::Continue(())
    }

    fn skips(&mut self) -> u64 {
        let skip = self.size.saturating_sub(1).saturating_sub(self.passed);
        self.passed += skip;
        skip
    }

    fn finish(self: Box<Self>, is_whole: bool) -> Option<Vec<u8>> {
        assert!(is_whole);
        let text = format!("{} {:?} {:?}", self.size, self.seen, self.last);
        Some(text.into_bytes())
    }
}

fn notes(contents: &Contents) -> Vec<String> {
    let show = |note: &seareeve_image::Note| {
        let hidden = if note.is_hidden { " hidden" } else { "" };
        let content = String::from_utf8_lossy(&note.content);
        format!("{}@{}{hidden}: {content}", note.path, note.layer)
    };
    contents.tree.notes().iter().map(show).collect()
}

fn go_on(_: seareeve_image::Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn read_archive(bytes: &[u8], options: &Options) -> Contents {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let source = Source::Archive(file.path().to_owned().try_into().unwrap());
    read(&source, options, &Ends, &go_on).unwrap()
}

fn large() -> Vec<u8> {
    let mut large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    large.push(255);
    large
}

fn layers() -> Vec<Vec<u8>> {
    let large = large();
    let lower: [Entry<'_>; 6] = [
        File("app", &large),
        HardLink("again", "app"),
        File("small", b"nobody looks"),
        File("kept", b"kept and looked at"),
        File("replaced", b"12"),
        File("folder/gone", b"34"),
    ];
    let upper: [Entry<'_>; 3] = [
        Dir("replaced"),
        File(".wh.folder", b""),
        File("app", b"new"),
    ];
    vec![tar(&lower), tar(&upper)]
}

const NOTES: [&str; 6] = [
    "again@0: 3000001 [0, 1] Some(255)",
    "app@0 hidden: 3000001 [0, 1] Some(255)",
    "folder/gone@0 hidden: 2 [51, 52] Some(52)",
    "kept@0: 18 [107, 101] Some(116)",
    "replaced@0 hidden: 2 [49, 50] Some(50)",
    "app@1: 3 [110, 101] Some(119)",
];

#[test]
fn inspectors_see_the_same_however_the_layer_is_read() {
    let layers = layers();
    let packed: Vec<_> = layers
        .iter()
        .map(|layer| (layer.clone(), gzip(layer)))
        .collect();
    let stream = Options {
        verify: Verify::Everything,
        ..Options::default()
    };
    let one = Options {
        threads: std::num::NonZeroUsize::MIN,
        ..Options::default()
    };
    let reads = [
        read_archive(&docker(&layers), &Options::default()),
        read_archive(&docker(&layers), &stream),
        read_archive(&docker(&layers), &one),
        read_archive(&oci(&packed).archive(), &Options::default()),
    ];
    for contents in &reads {
        assert_eq!(notes(contents), NOTES);
        assert_eq!(contents.problems, []);
        assert_eq!(contents.tree.len(), 1);
        let sizes = contents.image.layers.iter().map(|layer| layer.size_bytes);
        assert_eq!(
            sizes.sum::<u64>(),
            (layers[0].len() + layers[1].len()) as u64
        );
    }
}

#[test]
fn a_directory_is_read_as_an_image_of_one_layer() {
    let root = tempfile::tempdir().unwrap();
    let place = |name: &str| root.path().join(name);
    std::fs::create_dir_all(place("usr/bin")).unwrap();
    std::fs::create_dir_all(place("proc/1")).unwrap();
    std::fs::write(place("usr/bin/app"), large()).unwrap();
    std::fs::write(place("kept"), b"kept and looked at").unwrap();
    std::fs::write(place("small"), b"nobody looks").unwrap();
    std::fs::write(place("proc/1/environ"), b"not a file of the system").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place("outside")).unwrap();
    let source = Source::Directory(root.path().to_owned().try_into().unwrap());
    let contents = read(&source, &Options::default(), &Ends, &go_on).unwrap();
    assert_eq!(
        notes(&contents),
        [
            "kept@0: 18 [107, 101] Some(116)",
            "usr/bin/app@0: 3000001 [0, 1] Some(255)",
        ]
    );
    assert_eq!(contents.problems, []);
    assert_eq!(contents.image.layers[0].size_bytes, 3_000_001 + 18 + 12);

    let again = read(&source, &Options::default(), &Ends, &go_on).unwrap();
    assert_eq!(again.image, contents.image);
    std::fs::write(place("kept"), b"kept and changed").unwrap();
    let changed = read(&source, &Options::default(), &Ends, &go_on).unwrap();
    assert_ne!(changed.image.digest, contents.image.digest);

    let missing = Source::Directory("/nowhere/at/all".into());
    let error = read(&missing, &Options::default(), &Ends, &go_on).unwrap_err();
    assert_eq!(error.to_string(), "failed to read /nowhere/at/all");
}

#[test]
fn a_directory_may_change_while_it_is_read() {
    /// Changes the tree when a file is about to be looked at.
    struct Changing<'a>(&'a std::path::Path);

    impl Selector for Changing<'_> {
        fn keeps(&self, path: &ImagePath) -> bool {
            let place = |name: &str| self.0.join(name);
            match path.as_bytes() {
                b"grows" => std::fs::write(place("grows"), [b'x'; 900]).unwrap(),
                b"shrinks" => std::fs::write(place("shrinks"), "x").unwrap(),
                // Itself, and one that is listed and not looked at yet.
                b"goes" => {
                    std::fs::remove_file(place("goes")).unwrap();
                    std::fs::remove_file(place("goes-too")).unwrap();
                    std::fs::remove_dir(place("leaves")).unwrap();
                }
                b"piped" => {
                    std::fs::remove_file(place("piped")).unwrap();
                    let file = place("piped");
                    let made = std::process::Command::new("mkfifo").arg(file).status();
                    assert!(made.unwrap().success());
                }
                // The folder that the file stands in becomes a link to another.
                b"moved/file" => {
                    std::fs::rename(place("moved"), place("aside")).unwrap();
                    std::os::unix::fs::symlink("/etc", place("moved")).unwrap();
                }
                _ => {}
            }
            true
        }
    }

    let root = tempfile::tempdir().unwrap();
    let place = |name: &str| root.path().join(name);
    let names = [
        "goes", "goes-too", "grows", "shrinks", "piped", "z", ".wh.z", "z2",
    ];
    for name in names {
        std::fs::write(place(name), "12345").unwrap();
    }
    std::fs::create_dir(place("leaves")).unwrap();
    std::fs::create_dir_all(place("moved/deeper")).unwrap();
    for name in ["moved/file", "moved/passwd", "moved/deeper/file"] {
        std::fs::write(place(name), "inside").unwrap();
    }
    let source = Source::Directory(root.path().to_owned().try_into().unwrap());
    let contents = read(&source, &Options::default(), &Changing(root.path()), &go_on).unwrap();
    assert_eq!(
        crate::support::listing(&contents.tree),
        [
            ".wh.z@0=12345",
            "grows@0=xxxxx",
            "moved/file@0=inside",
            "moved/passwd@0=inside",
            "z@0=12345",
            "z2@0=12345",
        ]
    );
    let mut places: Vec<&str> = contents.problems.iter().map(|p| p.place.as_str()).collect();
    places.sort_unstable();
    assert_eq!(places, ["moved/deeper", "piped", "shrinks"]);

    let mut few = Options::default();
    few.limits.layer_entries = 3;
    let contents = read(&source, &few, &Ends, &go_on).unwrap();
    assert_eq!(
        crate::support::codes(&contents.problems),
        [seareeve_model::ProblemCode::LimitReached]
    );
}

#[test]
fn a_link_to_a_file_that_nobody_looked_at_is_said() {
    let layer = tar(&[
        File("small", b"nobody looks"),
        HardLink("app", "small"),
        File("kept", b"1"),
        HardLink("again", "kept"),
    ]);
    let contents = read_archive(&docker(&[layer]), &Options::default());
    let problems: Vec<String> = contents
        .problems
        .iter()
        .map(|p| format!("{}: {}", p.place, p.message))
        .collect();
    assert_eq!(
        problems,
        ["app: it is a hard link to small, which was not looked at when it passed"]
    );
}
