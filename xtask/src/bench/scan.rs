//! Our release binary beside the peer scanner on the same images and advisories, and beside what cannot be avoided.
//!
//! The limits stand beside the figures. Nothing fails when one is not met: figures of a busy machine prove nothing.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::fixtures::{Image, Packing};
use crate::measure::{Usage, usage};
use crate::shell::Shell;
use crate::{acceptance, apt, builds, fixtures, setup, ui};

/// Each program scans each image so often; the run with the least CPU counts.
const RUNS: usize = 3;

/// What takes milliseconds is done so often; the shortest time counts.
const SHORT_RUNS: usize = 20;

/// The image whose figures have limits.
const LIMITED: &str = "bookworm-large";

/// Prints tables, and writes them to `target/bench.md`.
pub(super) fn scan(shell: &Shell) -> Result<()> {
    apt::ensure(shell, setup::ACCEPTANCE)?;
    ui::build(shell)?;
    let folder = shell.workspace.target.join("acceptance");
    fs::create_dir_all(&folder).context("failed to make the folder of images")?;
    let binary = builds::release(shell)?;
    let shared = shell.workspace.shared()?;
    let bench = Bench {
        shell,
        database: acceptance::database(
            shell,
            &binary,
            &shared.join("data/osv"),
            &folder.join("all.db"),
        )?,
        binary,
        bare: bare(shell)?,
        peer: shared.join("tools/trivy.sh"),
    };
    let mut rows = Vec::new();
    for image in fixtures::shared(shell, &folder, &["bookworm-app", LIMITED])? {
        for form in Form::ALL {
            rows.push(bench.row(&image, form)?);
        }
    }
    let mut text = table(&rows);
    text.push('\n');
    let mut limits: Vec<Limit> = rows
        .iter()
        .filter(|row| row.image == LIMITED)
        .flat_map(Row::limits)
        .collect();
    let tiny = fixtures::shared(shell, &folder, &["tiny"])?;
    let tiny = tiny.first().context("no tiny image")?;
    limits.push(Limit::milliseconds(
        "start to end of scanning an image of one file",
        shortest(
            &mut bench.ours(&tiny.docker, "json"),
            &folder.join("tiny.json"),
        )?,
        10,
    ));
    limits.push(Limit::milliseconds(
        &format!("matching the stored SBOM of {LIMITED} again"),
        bench.rematch(&folder)?,
        20,
    ));
    write_limits(&mut text, &limits);
    let file = shell.workspace.target.join("bench.md");
    fs::write(&file, &text).with_context(|| format!("failed to write {}", file.display()))?;
    shell.say(&text)
}

/// How an image is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The archive of `docker save`, whose layers are not packed.
    Docker,
    /// A folder with an OCI layout.
    Layout(Packing),
}

impl Form {
    const ALL: [Self; 4] = [
        Self::Docker,
        Self::Layout(Packing::Gzip),
        Self::Layout(Packing::Zstd),
        Self::Layout(Packing::Plain),
    ];

    fn word(self) -> String {
        match self {
            Self::Docker => "docker save".to_owned(),
            Self::Layout(packing) => format!("OCI {}", packing.word()),
        }
    }

    /// Which part of the peer's CPU time ours may be.
    fn part(self) -> u32 {
        match self {
            Self::Layout(Packing::Gzip) => 4,
            Self::Docker | Self::Layout(Packing::Zstd | Packing::Plain) => 8,
        }
    }

    /// Whether the work has to be done byte by byte. Layers that are not packed are passed over.
    fn is_packed(self) -> bool {
        match self {
            Self::Docker | Self::Layout(Packing::Plain) => false,
            Self::Layout(Packing::Gzip | Packing::Zstd) => true,
        }
    }
}

/// What is measured with.
struct Bench<'a> {
    shell: &'a Shell,
    binary: PathBuf,
    database: PathBuf,
    /// Unpacks layers and steps through them, and does nothing else.
    bare: PathBuf,
    peer: PathBuf,
}

impl Bench<'_> {
    fn row(&self, image: &Image, form: Form) -> Result<Row> {
        let input = match form {
            Form::Docker => image.docker.clone(),
            Form::Layout(packing) => fixtures::layout(self.shell, image, packing)?,
        };
        self.shell
            .say(&format!("{}, {} …", image.name, form.word()))?;
        let mut peer = self.shell.command(&self.peer);
        // Its cache of finished images would be timed otherwise, not the scan.
        peer.arg(&input).args(["--cache-backend", "memory"]);
        // The first run of the peer unpacks it; both then have the files in memory.
        self.shell.capture(&mut peer)?;
        Ok(Row {
            image: image.name.clone(),
            form,
            ours: least(|| usage(self.shell, &self.ours(&input, "json")))?,
            peer: least(|| usage(self.shell, &peer))?,
            bare: form
                .is_packed()
                .then(|| {
                    let mut bare = self.shell.command(&self.bare);
                    bare.args(layers(&input)?);
                    least(|| usage(self.shell, &bare))
                })
                .transpose()?,
        })
    }

    fn ours(&self, input: &Path, format: &str) -> Command {
        let mut command = self.shell.product(&self.binary);
        command.arg("image").arg("--input").arg(input);
        command.args(["--scanners", "vuln", "--no-cache", "--format", format]);
        command.arg("--db").arg(&self.database);
        command
    }

    /// Matches the packages of the limited image, stored as CycloneDX.
    fn rematch(&self, folder: &Path) -> Result<Duration> {
        let sbom = folder.join(format!("{LIMITED}.cdx.json"));
        let archive = folder.join(format!("{LIMITED}.docker.tar"));
        let mut write = self.ours(&archive, "cyclonedx");
        write.arg("--output").arg(&sbom);
        self.shell.output(&mut write)?;
        let mut command = self.shell.product(&self.binary);
        command.arg("sbom").arg(&sbom).args(["--format", "json"]);
        let report = folder.join(format!("{LIMITED}.json"));
        shortest(command.arg("--db").arg(&self.database), &report)
    }
}

/// Builds the program that does only what cannot be avoided.
fn bare(shell: &Shell) -> Result<PathBuf> {
    shell.run(&mut shell.cargo(&[
        "build",
        "--release",
        "--package",
        "seareeve-image",
        "--example",
        "bare",
    ]))?;
    Ok(shell.workspace.target.join("release/examples/bare"))
}

/// The blobs of a layout that are no documents.
fn layers(layout: &Path) -> Result<Vec<PathBuf>> {
    let folder = layout.join("blobs/sha256");
    let mut layers = Vec::new();
    for entry in
        fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))?
    {
        let path = entry?.path();
        let mut start = [0; 1];
        std::io::Read::read_exact(&mut fs::File::open(&path)?, &mut start)?;
        if start != *b"{" {
            layers.push(path);
        }
    }
    layers.sort();
    Ok(layers)
}

fn least(mut run: impl FnMut() -> Result<Usage>) -> Result<Usage> {
    let runs = (0..RUNS).map(|_| run()).collect::<Result<Vec<Usage>>>()?;
    runs.into_iter()
        .min_by_key(|usage| usage.cpu)
        .context("no run")
}

/// The shortest time from starting the program to its end, with its output in `report`, as users have it there.
fn shortest(command: &mut Command, report: &Path) -> Result<Duration> {
    command.stdin(Stdio::null());
    let mut times = Vec::new();
    for _ in 0..SHORT_RUNS {
        let report = fs::File::create(report)
            .with_context(|| format!("failed to write {}", report.display()))?;
        command.stdout(report);
        let start = Instant::now();
        let status = command.status()?;
        times.push(start.elapsed());
        // 3: something could not be read, which the report says.
        if !matches!(status.code(), Some(0 | 3)) {
            bail!("{command:?} failed ({status})");
        }
    }
    times.into_iter().min().context("no run")
}

/// One image in one form.
struct Row {
    image: String,
    form: Form,
    ours: Usage,
    peer: Usage,
    bare: Option<Usage>,
}

impl Row {
    fn limits(&self) -> Vec<Limit> {
        let form = self.form.word();
        let part = self.form.part();
        let (ours, peer) = (self.ours, self.peer);
        let mut limits = vec![
            Limit {
                what: format!("{form}: CPU, as part of the peer's"),
                figure: format!("1/{:.1}", ratio(peer.cpu, ours.cpu)),
                most: format!("1/{part}"),
                is_met: ours.cpu.saturating_mul(part) <= peer.cpu,
            },
            Limit {
                what: format!("{form}: peak memory"),
                figure: format!("{:.0} MiB", ours.peak_mib()),
                most: "64 MiB".to_owned(),
                is_met: ours.peak_mib() <= 64.0,
            },
        ];
        if let Some(bare) = self.bare {
            limits.push(Limit {
                what: format!("{form}: wall, as part of the peer's"),
                figure: format!("1/{:.1}", ratio(peer.wall, ours.wall)),
                most: format!("below 1/{part}"),
                is_met: ours.wall.saturating_mul(part) < peer.wall,
            });
            limits.push(Limit {
                what: format!("{form}: CPU, over bare unpacking and stepping"),
                figure: format!("× {:.2}", ratio(ours.cpu, bare.cpu)),
                most: "× 1.3".to_owned(),
                is_met: ratio(ours.cpu, bare.cpu) <= 1.3,
            });
            limits.push(Limit {
                what: format!("{form}: bare unpacking and stepping, as part of the peer's CPU"),
                figure: format!("1/{:.1}", ratio(peer.cpu, bare.cpu)),
                most: format!("1/{part}"),
                is_met: bare.cpu.saturating_mul(part) <= peer.cpu,
            });
        }
        limits
    }
}

/// A figure beside what it may be.
struct Limit {
    what: String,
    figure: String,
    most: String,
    is_met: bool,
}

impl Limit {
    fn milliseconds(what: &str, time: Duration, most: u64) -> Self {
        Self {
            what: what.to_owned(),
            figure: format!("{:.1} ms", time.as_secs_f64() * 1000.0),
            most: format!("below {most} ms"),
            is_met: time < Duration::from_millis(most),
        }
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| image | form | program | CPU s | wall s | peak MiB | CPU × | wall × | memory × |\n|---|---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let programs = [
            Some(("seareeve", row.ours)),
            Some(("trivy", row.peer)),
            row.bare.map(|bare| ("bare", bare)),
        ];
        for (program, usage) in programs.into_iter().flatten() {
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "| {} | {} | {program} | {:.2} | {:.2} | {:.0} | {:.1} | {:.1} | {:.1} |",
                row.image,
                row.form.word(),
                usage.cpu.as_secs_f64(),
                usage.wall.as_secs_f64(),
                usage.peak_mib(),
                ratio(usage.cpu, row.ours.cpu),
                ratio(usage.wall, row.ours.wall),
                usage.peak_mib() / row.ours.peak_mib(),
            );
        }
    }
    text
}

fn write_limits(text: &mut String, limits: &[Limit]) {
    text.push_str("| figure | is | may be | |\n|---|---:|---:|---|\n");
    for limit in limits {
        let word = if limit.is_met { "met" } else { "NOT MET" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {word} |",
            limit.what, limit.figure, limit.most
        );
    }
}

fn ratio(of: Duration, to: Duration) -> f64 {
    of.as_secs_f64() / to.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu: u64, wall: u64, mib: u64) -> Usage {
        Usage {
            cpu: Duration::from_millis(cpu),
            wall: Duration::from_millis(wall),
            peak_kib: mib * 1024,
        }
    }

    #[test]
    fn figures_stand_beside_their_limits() {
        let row = Row {
            image: "a".to_owned(),
            form: Form::Layout(Packing::Gzip),
            ours: usage(1000, 500, 50),
            peer: usage(4000, 3000, 200),
            bare: Some(usage(500, 500, 1)),
        };
        let mut text = table(std::slice::from_ref(&row));
        write_limits(&mut text, &row.limits());
        assert_eq!(
            text,
            "\
| image | form | program | CPU s | wall s | peak MiB | CPU × | wall × | memory × |
|---|---|---|---:|---:|---:|---:|---:|---:|
| a | OCI gzip | seareeve | 1.00 | 0.50 | 50 | 1.0 | 1.0 | 1.0 |
| a | OCI gzip | trivy | 4.00 | 3.00 | 200 | 4.0 | 6.0 | 4.0 |
| a | OCI gzip | bare | 0.50 | 0.50 | 1 | 0.5 | 1.0 | 0.0 |
| figure | is | may be | |
|---|---:|---:|---|
| OCI gzip: CPU, as part of the peer's | 1/4.0 | 1/4 | met |
| OCI gzip: peak memory | 50 MiB | 64 MiB | met |
| OCI gzip: wall, as part of the peer's | 1/6.0 | below 1/4 | met |
| OCI gzip: CPU, over bare unpacking and stepping | × 2.00 | × 1.3 | NOT MET |
| OCI gzip: bare unpacking and stepping, as part of the peer's CPU | 1/8.0 | 1/4 | met |
"
        );
    }
}
