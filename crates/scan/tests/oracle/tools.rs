//! The oracle and the programs that it needs. Where they cannot be had, the test says so.

use std::io::{Seek as _, Write as _};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_scan::versions::Order;

/// The folder of shared data, or `None` after saying that the test did not run.
pub(crate) fn shared() -> Option<Utf8PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let path = std::env::var("SEAREEVE_SHARED").unwrap_or_else(|_| default.to_owned());
    let path = Utf8PathBuf::from(path);
    if path.join("data/osv").is_dir() {
        return Some(path);
    }
    did_not_run("the shared data is not there (SEAREEVE_SHARED)");
    None
}

/// Says why nothing was tested; a failure where the environment asks for the real thing.
pub(crate) fn did_not_run(why: &str) {
    say(&format!("DID NOT RUN: {why}"));
    let required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
    assert!(!required, "did not run: {why}");
}

/// Prints past the capture of the test harness's macros, which the lints keep for programs.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

pub(crate) struct Oracle {
    tools: Utf8PathBuf,
    osv: Utf8PathBuf,
    work: Utf8PathBuf,
}

impl Oracle {
    /// Finds or installs Python's `packaging` and Node's `semver`; only into `work`.
    pub(crate) fn new(shared: &Utf8Path, work: &Utf8Path) -> Result<Self, String> {
        let oracle = Self {
            tools: shared.join("tools"),
            osv: shared.join("data/osv"),
            work: work.to_owned(),
        };
        output(Command::new("dpkg").arg("--version"))?;
        let packaging = || output(oracle.python().args(["-c", "import packaging.version"]));
        if packaging().is_err() {
            let target = oracle.work.join("python");
            let pip = [
                "-m",
                "pip",
                "install",
                "-q",
                "packaging",
                "--target",
                target.as_str(),
            ];
            output(oracle.python().args(pip))?;
            packaging()?;
        }
        let semver = || {
            output(
                oracle
                    .node(Command::new("node"))
                    .args(["-e", "require('semver')"]),
            )
        };
        if semver().is_err() {
            let npm = [
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--prefix",
                oracle.work.as_str(),
                "semver",
            ];
            output(Command::new("npm").args(npm))?;
            semver()?;
        }
        Ok(oracle)
    }

    /// The packages of the small image that make-images.py makes in a moment.
    pub(crate) fn hostile_whiteouts(&self) -> Result<Utf8PathBuf, String> {
        let mut make = self.python();
        make.arg(self.tools.join("make-images.py"));
        make.args([self.work.as_str(), "hostile-whiteouts"]);
        output(make.env("WORK_DIR", self.work.join("images")))?;
        Ok(self.work.join("hostile-whiteouts.packages.json"))
    }

    /// What the oracle answers for a list of packages: JSON.
    pub(crate) fn run(&self, list: &Utf8Path, distro: &str) -> Result<Vec<u8>, String> {
        let mut run = self.node(self.python());
        run.arg(self.tools.join("oracle.py"));
        run.args([list.as_str(), self.osv.as_str(), "--distro", distro]);
        output(&mut run)
    }

    fn python(&self) -> Command {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", self.work.join("python"));
        python
    }

    fn node(&self, mut command: Command) -> Command {
        command.env("NODE_PATH", self.work.join("node_modules"));
        command
    }
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{program}: {} {message}", output.status))
}

/// Compares pairs of versions, read from the standard input as JSON.
const PACKAGING: &str = "
import json, sys
from packaging.version import InvalidVersion, Version
def compare(a, b):
    try:
        a, b = Version(a), Version(b)
    except InvalidVersion:
        return None
    return (a > b) - (a < b)
print(json.dumps([compare(a, b) for a, b in json.load(sys.stdin)]))
";
const SEMVER: &str = "
const semver = require('semver');
const compare = ([a, b]) => { try { return semver.compare(a, b, true) } catch { return null } };
console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0)).map(compare)));
";

impl Oracle {
    /// dpkg's answer: the sign of the comparison.
    pub(crate) fn dpkg(&self, a: &str, b: &str) -> Option<i8> {
        let is = |relation| {
            let status = Command::new("dpkg")
                .args(["--compare-versions", a, relation, b])
                .status();
            status.is_ok_and(|status| status.success())
        };
        match (is("lt"), is("gt"), is("eq")) {
            (true, false, false) => Some(-1),
            (false, true, false) => Some(1),
            (false, false, true) => Some(0),
            _ => None,
        }
    }

    pub(crate) fn packaging(&self, pairs: &[u8]) -> Result<Vec<u8>, String> {
        answer(self.python().args(["-c", PACKAGING]), pairs)
    }

    pub(crate) fn semver(&self, pairs: &[u8]) -> Result<Vec<u8>, String> {
        answer(self.node(Command::new("node")).args(["-e", SEMVER]), pairs)
    }
}

fn answer(command: &mut Command, question: &[u8]) -> Result<Vec<u8>, String> {
    let mut file = tempfile::tempfile().map_err(|error| error.to_string())?;
    let written = file.write_all(question).and_then(|()| file.rewind());
    written.map_err(|error| error.to_string())?;
    output(command.stdin(file))
}

/// A program that compares versions and is not fetched when it is missing.
pub(crate) struct Installed {
    program: &'static str,
    arguments: &'static [&'static str],
}

/// Each reads lines of two versions with a tab between them, and answers with a sign or `none` for each.
const RPM: &str = r#"%{lua:
for line in io.lines() do
    local a, b = line:match("([^\t]*)\t(.*)")
    print(rpm.vercmp(a, b) .. " ")
end}"#;
const RUBYGEMS: &str = r#"
read = ->(text) { Gem::Version.correct?(text) && !text.empty? ? Gem::Version.new(text) : nil }
STDIN.each_line(chomp: true) do |line|
  a, b = line.split("\t", -1).map(&read)
  puts(a && b ? a <=> b : "none")
end"#;
const COMPOSER: &str = r#"
require "Composer/Semver/autoload.php";
$parser = new Composer\Semver\VersionParser;
$read = function ($text) use ($parser) {
    try { $version = $parser->normalize($text); } catch (UnexpectedValueException $e) { return null; }
    return strpos($version, "dev-") === 0 ? null : $version;
};
while (($line = fgets(STDIN)) !== false) {
    [$a, $b] = array_map($read, explode("\t", rtrim($line, "\n")));
    echo $a === null || $b === null ? "none" : version_compare($a, $b), "\n";
}"#;

impl Installed {
    /// The tool of this order, if it is there and works.
    pub(crate) fn find(order: Order) -> Option<Self> {
        let tools: [(_, _, &[&str]); 3] = [
            (Order::Rpm, "rpm", &["--eval", RPM]),
            (Order::Gem, "ruby", &["-e", RUBYGEMS]),
            (Order::Composer, "php", &["-r", COMPOSER]),
        ];
        let (_, program, arguments) = tools.into_iter().find(|tool| tool.0 == order)?;
        let tool = Self { program, arguments };
        let works = tool.compare(&[("1", "2")]).ok()? == [Some(-1)];
        works.then_some(tool)
    }

    pub(crate) fn compare(&self, pairs: &[(&str, &str)]) -> Result<Vec<Option<i8>>, String> {
        let question: String = pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect();
        let mut command = Command::new(self.program);
        let answer = answer(command.args(self.arguments), question.as_bytes())?;
        let answer = String::from_utf8_lossy(&answer);
        Ok(answer
            .split_whitespace()
            .map(|sign| sign.parse().ok())
            .collect())
    }
}
