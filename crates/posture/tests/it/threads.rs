//! Where there may be no more threads, judging takes longer and says the same.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// A user who has no other processes, and whom a limit of them holds: root is above it.
const NOBODY: u32 = 65_534;

/// The tests of large assets once more, in a process that can begin no thread.
#[test]
#[expect(
    clippy::print_stderr,
    reason = "the test's reader must see that nothing was tested"
)]
fn large_assets_are_judged_where_no_thread_can_be_begun() {
    let run = Command::new("prlimit")
        .args(["--nproc=1", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--test-threads=1", "--exact"])
        .arg("verdicts::many_checks_say_of_a_large_asset_what_each_says_of_it_in_their_order")
        .arg("standing::what_is_needed_makes_what_needs_it_judged_again")
        .uid(NOBODY)
        .output();
    let run = match run {
        Ok(run) => run,
        Err(error) => {
            let required = std::env::var_os("SEAREEVE_REQUIRE_SHARED");
            assert!(required.is_none_or(|value| value != "1"), "{error}");
            eprintln!("DID NOT RUN: it takes root and prlimit");
            return;
        }
    };
    let [said, error] = [&run.stdout, &run.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(run.status.success(), "{said}{error}");
    assert!(said.contains("2 passed"), "{said}{error}");
}
