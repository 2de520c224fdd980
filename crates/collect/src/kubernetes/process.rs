//! The components that run on this machine, and the files that they were told to read.
//!
//! Files are looked up as the process sees them, below `/proc/PID/root`, and no link leads out of there: any
//! container may have a process with a component's name.

use std::fs::File;
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use seareeve_kubernetes::{ConfigFile, Flags, Observed, Seen, TOLD_FILES, of_command, reduced};
use seareeve_model::{Problem, ProblemCode};

/// Longest command line that is read.
const MAX_COMMAND: u64 = 256 << 10;

/// Largest configuration file that is read.
pub(super) const MAX_FILE: u64 = 4 << 20;

/// Most drop-ins of a kubelet.
const MAX_DROP_INS: usize = 200;

/// One process that is a component.
struct Process {
    pid: u64,
    observed: Observed,
    /// Whether it sees the files of the machine, rather than those of a container.
    is_of_machine: bool,
    /// Whether it is what a static pod's manifest starts.
    is_expected: bool,
}

/// The components that run on the machine whose files are below `root` (`/`, or where a container has them), which
/// the cluster knows as `node`. Of several processes with a component's name, the one that sees the machine's own
/// files counts, then the one that `expected` says (the arguments in a static pod's manifest, by component), else the
/// oldest; the others are problems.
pub fn components(
    root: &Utf8Path,
    node: &str,
    expected: &[(&str, &[String])],
) -> (Vec<Observed>, Vec<Problem>) {
    let folder = root.join("proc");
    let mut problems = Vec::new();
    let mut pids: Vec<u64> = match folder.read_dir_utf8() {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok()?.file_name().parse().ok())
            .collect(),
        Err(error) => {
            problems.push(unreadable(&folder, &format!("failed to list it: {error}")));
            Vec::new()
        }
    };
    pids.sort_unstable();
    let machine = std::fs::read_link(folder.join("1/ns/mnt")).ok();
    let mut found: Vec<Process> = Vec::new();
    for pid in pids {
        let own = folder.join(pid.to_string());
        // It may have ended meanwhile.
        let Some((component, arguments)) = command(&own).and_then(|words| of_command(&words))
        else {
            continue;
        };
        let mounts = std::fs::read_link(own.join("ns/mnt")).ok();
        let is_expected = expected.contains(&(component, arguments.as_slice()));
        let executable = std::fs::read_link(own.join("exe")).ok();
        let observed = Observed {
            component: component.to_owned(),
            node: node.to_owned(),
            source: Seen::Process,
            executable: executable.map(|path| path.to_string_lossy().into_owned()),
            pid: Some(pid),
            arguments,
            ..Observed::default()
        };
        found.push(Process {
            pid,
            observed,
            is_of_machine: mounts.is_some() && mounts == machine,
            is_expected,
        });
    }
    found.sort_by_key(|process| {
        let name = process.observed.component.clone();
        (
            name,
            !process.is_of_machine,
            !process.is_expected,
            process.pid,
        )
    });
    let mut components: Vec<Observed> = Vec::new();
    for process in found {
        let before = components.last();
        if before.is_some_and(|before| before.component == process.observed.component) {
            let why = "another process of that name counts as the component";
            let place = format!("process {} ({})", process.pid, process.observed.component);
            problems.push(Problem::new(ProblemCode::FileUnreadable, place, why));
            continue;
        }
        let mut observed = process.observed;
        let sees = folder.join(process.pid.to_string()).join("root");
        read_files(&mut observed, &|path| content(&sees, path));
        let flags = Flags::parse(&observed.arguments);
        let told = flags.last("config-dir").filter(|path| !path.is_empty());
        if let (Some(told), "kubelet") = (told, observed.component.as_str()) {
            observed.drop_ins = drop_ins(&sees, told);
        }
        components.push(observed);
    }
    (components, problems)
}

fn unreadable(place: &Utf8Path, why: &str) -> Problem {
    Problem::new(ProblemCode::FileUnreadable, place.as_str(), why)
}

/// The words of a process's command line.
fn command(process: &Utf8Path) -> Option<Vec<String>> {
    let mut line = Vec::new();
    let file = File::open(process.join("cmdline")).ok()?;
    file.take(MAX_COMMAND).read_to_end(&mut line).ok()?;
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    let words = line.split(|byte| *byte == 0);
    Some(
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    )
}

/// How a file is read that a component was told to read.
type Read<'r> = dyn Fn(&str) -> io::Result<Vec<u8>> + 'r;

/// Reads what a component was told to read, but for drop-ins.
pub(super) fn read_files(observed: &mut Observed, read: &Read<'_>) {
    let flags = Flags::parse(&observed.arguments);
    let named = |flag: &str| flags.last(flag).filter(|path| !path.is_empty());
    match observed.component.as_str() {
        "etcd" => observed.config = named("config-file").map(|path| config(path, read)),
        "kubelet" | "kube-proxy" | "kube-scheduler" => {
            observed.config = named("config").map(|path| config(path, read));
        }
        "kube-apiserver" => {
            for flag in TOLD_FILES {
                if let Some(path) = named(flag) {
                    let mut file = config(path, read);
                    let content = file.content.take();
                    file.content = content.map(|content| reduced(flag, &content));
                    observed.files.insert(flag, file);
                }
            }
        }
        _ => {}
    }
}

/// The kubelet reads what ends in `.conf`, in the order of the names.
fn drop_ins(root: &Utf8Path, folder: &str) -> Vec<ConfigFile> {
    let listed = open(root, folder, OFlags::DIRECTORY).and_then(|folder| {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".conf") && names.len() < MAX_DROP_INS {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    });
    match listed {
        Ok(names) => {
            let paths = names
                .iter()
                .map(|name| Utf8PathBuf::from(folder).join(name));
            paths
                .map(|path| config(path.as_str(), &|path| content(root, path)))
                .collect()
        }
        Err(error) => vec![failed(folder, &error)],
    }
}

/// A file as something sees it whose `/` is `root`.
fn content(root: &Utf8Path, path: &str) -> io::Result<Vec<u8>> {
    let file = open(root, path, OFlags::NONBLOCK)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut content = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut content)?;
    Ok(content)
}

fn config(path: &str, read: &Read<'_>) -> ConfigFile {
    match read(path) {
        Ok(content) => match seareeve_kubernetes::value(&content) {
            Ok(content) => ConfigFile {
                path: path.to_owned(),
                content: Some(content),
                status: "ok",
                detail: None,
            },
            // What is wrong with it might repeat parts of it.
            Err(_text) => ConfigFile {
                path: path.to_owned(),
                content: None,
                status: "error",
                detail: Some("it is no YAML".to_owned()),
            },
        },
        Err(error) => failed(path, &error),
    }
}

fn failed(path: &str, error: &io::Error) -> ConfigFile {
    let status = match error.kind() {
        io::ErrorKind::NotFound => "absent",
        io::ErrorKind::PermissionDenied => "denied",
        _ => "error",
    };
    ConfigFile {
        path: path.to_owned(),
        content: None,
        status,
        detail: Some(error.to_string()),
    }
}

/// Opens `path` as something whose `/` is `root` would.
fn open(root: &Utf8Path, path: &str, flags: OFlags) -> io::Result<File> {
    let folder = File::open(root)?;
    let inside = path.trim_start_matches('/');
    let file = openat2(
        &folder,
        inside,
        flags | OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    )?;
    Ok(File::from(file))
}
