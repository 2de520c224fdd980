//! Feeds files to inspectors in pieces of all lengths, for the tests of the formats that have one.

use seareeve_image::FileFacts;
use seareeve_model::ImagePath;

use super::found::Found;
use super::{Ecosystem, Intake, JavaIndex};

/// Lengths of pieces: the least, an odd one, a tar block, what readers of images pass on.
const PIECES: [usize; 4] = [1, 7, 512, 65_536];

/// What the format's inspector remembers of a file that comes in pieces of `length` bytes.
pub(super) fn extract(
    format: &Ecosystem,
    path: &str,
    content: &[u8],
    length: usize,
    is_whole: bool,
) -> Option<Vec<u8>> {
    let Intake::Extract { inspector, .. } = format.intake else {
        panic!("this format reads whole files");
    };
    let path = ImagePath::parse(path.as_bytes()).unwrap();
    let facts = FileFacts {
        size: content.len() as u64,
        is_executable: true,
        ..FileFacts::default()
    };
    let mut inspector = inspector(&path, facts)?;
    for piece in content.chunks(length) {
        if inspector.take(piece).is_break() {
            return inspector.finish(true);
        }
    }
    inspector.finish(is_whole)
}

/// As [`extract`] of a whole file, as a reader does it that knows the beginning of the file and can leave parts
/// out: what is remembered, and how many bytes were looked at.
pub(super) fn extract_in_place(
    format: &Ecosystem,
    path: &str,
    content: &[u8],
    length: usize,
) -> (Option<Vec<u8>>, usize) {
    let Intake::Extract {
        passes_over,
        inspector,
    } = format.intake
    else {
        panic!("this format reads whole files");
    };
    let path = ImagePath::parse(path.as_bytes()).unwrap();
    let facts = FileFacts {
        size: content.len() as u64,
        is_executable: true,
        ..FileFacts::default()
    };
    let start = &content[..length.min(content.len())];
    if !start.is_empty() && passes_over(&path, start) {
        return (None, 0);
    }
    let Some(mut inspector) = inspector(&path, facts) else {
        return (None, 0);
    };
    let (mut at, mut looked_at) = (0, 0);
    while at < content.len() {
        let piece = &content[at..content.len().min(at + length)];
        at += piece.len();
        looked_at += piece.len();
        if inspector.take(piece).is_break() {
            break;
        }
        at = at.saturating_add(usize::try_from(inspector.skips()).unwrap());
    }
    (inspector.finish(true), looked_at)
}

/// The packages, as package URLs with the place inside the file, and the problems. The same for all lengths of
/// pieces.
pub(super) fn told(
    format: &Ecosystem,
    path: &str,
    content: &[u8],
    java: Option<&JavaIndex>,
) -> (Vec<String>, Vec<String>) {
    let extracts = PIECES.map(|length| extract(format, path, content, length, true));
    assert!(
        extracts.windows(2).all(|pair| pair[0] == pair[1]),
        "{path}: differs by the length of pieces"
    );
    for length in PIECES {
        let (in_place, _) = extract_in_place(format, path, content, length);
        assert!(
            in_place == extracts[0],
            "{path}: differs where parts are left out"
        );
    }
    let Some(extract) = &extracts[0] else {
        return (Vec::new(), Vec::new());
    };
    let path = ImagePath::parse(path.as_bytes()).unwrap();
    let mut found = Found::new(&path, 0, java);
    let result = (format.read)(extract, None, &mut found);
    let (packages, problems) = found.finish(result);
    let packages = packages.iter().map(|placed| {
        let inside = match placed.inside.is_root() {
            true => String::new(),
            false => format!(" in {}", placed.inside),
        };
        format!("{}{inside}", placed.package.purl)
    });
    let problems = problems.iter().map(|problem| {
        let place = problem.place.strip_prefix(&*path.to_text());
        let inside = place.unwrap_or(&problem.place).trim_start_matches('/');
        match inside {
            "" => problem.message.clone(),
            inside => format!("{inside}: {}", problem.message),
        }
    });
    (packages.collect(), problems.collect())
}
