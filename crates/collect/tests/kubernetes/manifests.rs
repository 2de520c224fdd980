//! Manifests in files, folders and standard input.

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_collect::kubernetes::manifests;

fn write(folder: &Utf8Path, name: &str, content: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn pod(name: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n")
}

#[test]
fn folders_are_read_whole_and_what_cannot_be_read_is_said() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(temporary.path()).unwrap();
    write(folder, "b/z.yaml", &pod("z"));
    write(folder, "b/a.yml", &pod("a"));
    write(
        folder,
        "b/deep/c.json",
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"}}"#,
    );
    write(folder, "b/README.md", "not: [a manifest");
    write(folder, "own.txt", &pod("own"));
    let paths: Vec<Utf8PathBuf> = [
        folder.join("b"),
        folder.join("own.txt"),
        folder.join("gone"),
        "-".into(),
        folder.join("own.txt"),
        folder.join("b/a.yml"),
        "-".into(),
    ]
    .into();
    let mut input = pod("piped");
    input.push_str("---\n}\n");
    let found = manifests(&paths, &mut input.as_bytes());
    let names: Vec<&str> = found
        .documents
        .objects
        .iter()
        .map(|object| object.name())
        .collect();
    assert_eq!(names, ["a", "c", "z", "own", "piped"]);
    assert_eq!(found.files, 5);
    let troubles: Vec<String> = found
        .documents
        .troubles
        .iter()
        .map(|trouble| {
            format!(
                "{}:{} {}",
                trouble.origin.file, trouble.origin.line, trouble.message
            )
        })
        .collect();
    assert_eq!(troubles.len(), 2, "{troubles:?}");
    assert!(
        troubles[0].contains("/gone:1 failed to read it"),
        "{troubles:?}"
    );
    assert!(
        troubles[1].starts_with("stdin:5 it is no YAML"),
        "{troubles:?}"
    );
}

#[test]
fn a_file_is_read_once_whatever_it_is_called() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(temporary.path()).unwrap();
    write(folder, "app/web.yaml", &pod("web"));
    write(folder, "app/copy.yaml", &pod("copy"));
    let link = |target: &Utf8Path, name: &str| {
        std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
    };
    link(&folder.join("app/web.yaml"), "web.yaml");
    link(&folder.join("app"), "again");
    std::fs::hard_link(folder.join("app/web.yaml"), folder.join("hard.yaml")).unwrap();
    let names = [
        "app",
        "./app/web.yaml",
        "app/../app",
        "web.yaml",
        "again/",
        "hard.yaml",
    ];
    let paths = names.map(|name| folder.join(name));
    let found = manifests(&paths, &mut std::io::empty());
    let names: Vec<&str> = found
        .documents
        .objects
        .iter()
        .map(|object| object.name())
        .collect();
    assert_eq!(names, ["copy", "web"]);
    assert_eq!(found.files, 2);
}

/// What a shell makes of `-f <(helm template …)`, and of a name that is no text beside others.
#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_read_where_it_is_named_and_an_odd_name_leaves_the_others() {
    use std::ffi::OsStr;
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::ffi::OsStrExt as _;

    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(pod("piped").as_bytes()).unwrap();
    drop(writer);
    let path = Utf8PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
    let found = manifests(&[path], &mut std::io::empty());
    assert!(found.documents.troubles.is_empty());
    assert_eq!(found.documents.objects.len(), 1);

    let temporary = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(temporary.path()).unwrap();
    for name in ["a.yaml", "b.yaml", "c.yaml"] {
        write(folder, name, &pod("p"));
    }
    let odd = temporary.path().join(OsStr::from_bytes(b"b\xff.yaml"));
    std::fs::write(odd, pod("odd")).unwrap();
    let found = manifests(&[folder.to_owned()], &mut std::io::empty());
    assert_eq!(found.documents.objects.len(), 3);
    assert_eq!(found.documents.troubles.len(), 1);
}

#[cfg(unix)]
#[test]
fn links_in_circles_end() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(temporary.path()).unwrap();
    write(folder, "a.yaml", &pod("a"));
    std::os::unix::fs::symlink(folder, folder.join("again")).unwrap();
    let found = manifests(&[folder.to_owned()], &mut std::io::empty());
    assert_eq!(found.documents.objects.len(), 1);
    assert!(found.documents.troubles.is_empty());
}
