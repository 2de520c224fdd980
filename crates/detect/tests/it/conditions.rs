//! What holds of an event.

use serde_json::{Value, json};

use crate::support::{errors, holds, load, rule};

/// Conditions with what they are of one event.
fn check(fields: &Value, cases: &[(&str, bool)]) {
    for (condition, expected) in cases {
        assert_eq!(holds(condition, fields), *expected, "{condition}");
        let (not, both) = (
            format!("not ({condition})"),
            format!("{condition} and {condition}"),
        );
        assert_eq!(holds(&not, fields), !expected, "{not}");
        assert_eq!(holds(&both, fields), *expected, "{both}");
    }
}

#[test]
fn a_missing_value_makes_any_comparison_false() {
    check(
        &json!({"proc.name": "cat"}),
        &[
            ("fd.name exists", false),
            ("fd.name = x", false),
            ("fd.name != x", false),
            ("fd.name in (x)", false),
            ("fd.name contains \"\"", false),
            ("fd.num != 1", false),
            ("fd.num < 1", false),
            ("not fd.name = x", true),
            ("proc.name exists and not fd.name exists", true),
            ("len(fd.name) = 0", false),
            ("proc.name = val(fd.name)", false),
            ("fd.name != val(proc.name)", false),
            ("fd.types in ()", false),
            ("fd.name != allof (x)", false),
        ],
    );
}

#[test]
fn texts() {
    check(
        &json!({"proc.name": "Cat", "fd.name": "/opt/dir/subdir/file.txt", "proc.cmdline": "cat -n\u{e9}"}),
        &[
            ("proc.name = Cat", true),
            ("proc.name == cat", false),
            ("proc.name != cat", true),
            ("proc.name in (cat, Cat)", true),
            ("proc.name in ()", false),
            ("proc.name intersects (Cat)", true),
            ("proc.name < 5", false),
            ("proc.name contains a", true),
            ("proc.name contains \"\"", true),
            ("proc.name icontains CAT", true),
            ("proc.name bcontains 4361", true),
            ("proc.name bstartswith 6174", false),
            ("proc.name startswith C", true),
            ("proc.name startswith Cats", false),
            ("proc.name endswith at", true),
            ("fd.name glob /opt/*.txt", true),
            ("fd.name glob *.TXT", false),
            ("fd.name iglob *.TXT", true),
            ("fd.name iglob *DIR*", true),
            ("fd.name glob /opt/d?r/*/file.[st]xt", true),
            ("fd.name regex /opt/.*", true),
            ("fd.name regex opt", false),
            ("fd.name regex \"/opt|x\"", false),
            ("fd.name regex \"/OPT/.*\"", false),
            ("fd.name regex \"(?i)/OPT/.*\"", true),
            ("fd.name pmatch (/opt/dir)", true),
            ("fd.name pmatch (/opt/di)", false),
            ("fd.name pmatch (/etc, /opt/*/subdir)", true),
            ("fd.name pmatch ()", false),
            ("proc.cmdline endswith \u{e9}", true),
        ],
    );
}

#[test]
fn numbers_truth_and_time() {
    check(
        &json!({"fd.num": -3, "fd.sport": 443, "evt.failed": true, "thread.cpu": 1.5, "proc.duration": 7}),
        &[
            ("fd.num = -3", true),
            ("fd.num < 0", true),
            ("fd.num >= -3", true),
            ("fd.num > -3", false),
            ("fd.num in (1, -3)", true),
            ("fd.sport = 0x1bb", true),
            ("fd.sport != 80", true),
            ("fd.sport <= 443", true),
            ("evt.failed = true", true),
            ("evt.failed != true", false),
            ("evt.failed intersects (true)", true),
            ("thread.cpu > 1.25", true),
            ("thread.cpu = 1.5", true),
            ("proc.duration < 8", true),
        ],
    );
}

#[test]
fn addresses() {
    check(
        &json!({"fd.sip": "10.1.2.3", "fd.cip": "fe80::1", "fd.sport": 443, "fd.cport": 50000}),
        &[
            ("fd.sip = 10.1.2.3", true),
            ("fd.sip in (10.1.2.4, 10.1.2.3)", true),
            ("fd.snet = 10.0.0.0/8", true),
            ("fd.snet in (192.168.0.0/16, 10.1.0.0/16)", true),
            ("fd.snet != 10.0.0.0/8", false),
            ("fd.snet = ::/0", false),
            ("fd.snet != ::/0", true),
            ("fd.cnet = fe80::/10", true),
            ("fd.cnet != 10.0.0.0/8", true),
            // Either side.
            ("fd.ip = 10.1.2.3", true),
            ("fd.ip = fe80::1", true),
            ("fd.ip != 10.1.2.3", false),
            ("fd.ip != 10.1.2.4", true),
            ("fd.net in (10.0.0.0/8)", true),
            ("fd.port = 443", true),
            ("fd.port = 50000", true),
            ("fd.port != 443", false),
            ("fd.port > 1024", true),
        ],
    );
}

#[test]
fn lists() {
    let event = json!({"fd.types": ["file", "ipv4"], "proc.name": "x"});
    check(
        &event,
        &[
            ("fd.types exists", true),
            ("fd.types in (file, ipv4, pipe)", true),
            ("fd.types in (file)", false),
            ("fd.types intersects (file, pipe)", true),
            ("fd.types intersects (pipe)", false),
            ("fd.types intersects ()", false),
            ("len(fd.types) = 2", true),
            ("join(\"-\", fd.types) = file-ipv4", true),
            ("toupper(fd.types) intersects (FILE)", true),
            ("fd.types in val(fd.types)", true),
        ],
    );
    check(
        &json!({"fd.types": []}),
        &[
            ("fd.types in (file)", true),
            ("fd.types in ()", true),
            ("fd.types intersects (file)", false),
            ("len(fd.types) = 0", true),
        ],
    );
    for condition in [
        "fd.types = file",
        "fd.types contains f",
        "fd.types = anyof (file)",
    ] {
        let loaded = load(&[("r.yaml", &rule(condition))]);
        assert!(
            errors(&loaded)[0].contains("cannot be asked of a list"),
            "{condition}"
        );
    }
}

#[test]
fn ancestors() {
    check(
        &json!({"proc.aname[0]": "sh", "proc.aname[1]": "bash", "proc.aname[2]": "sshd"}),
        &[
            ("proc.aname = sshd", true),
            ("proc.aname[1] = bash", true),
            ("proc.aname[1] = sshd", false),
            ("proc.aname[5] exists", false),
            ("proc.aname in (zsh, bash)", true),
            // One that differs suffices, as for any operator.
            ("proc.aname != sshd", true),
            ("proc.aname startswith ba", true),
        ],
    );
}

#[test]
fn modifiers() {
    check(
        &json!({"proc.name": "catcat"}),
        &[
            ("proc.name contains anyof (dog, cat)", true),
            ("proc.name contains allof (dog, cat)", false),
            ("proc.name contains allof (at, cat)", true),
            ("proc.name contains oneof (at, cat)", false),
            ("proc.name contains oneof (dog, cat)", true),
            ("proc.name = anyof ()", false),
            ("proc.name = allof ()", false),
            ("proc.name != allof (a, b)", true),
            ("proc.name != anyof (catcat, b)", true),
            ("proc.name != allof (catcat, b)", false),
        ],
    );
}

#[test]
fn transformers() {
    check(
        &json!({
            "proc.name": "Cat", "fd.name": "/tmp/File", "fd.directory": "/tmp", "proc.cmdline": "aGVsbG8",
            "proc.exe": "cat", "fd.num": 3, "proc.pid": 3, "proc.vpid": 4,
        }),
        &[
            ("tolower(proc.name) = cat", true),
            ("toupper(proc.name) in (CAT)", true),
            ("b64(proc.cmdline) = hello", true),
            ("b64(fd.name) exists", false),
            ("basename(fd.name) = File", true),
            ("basename(proc.name) = Cat", true),
            ("len(fd.name) = 9", true),
            ("tolower(basename(fd.name)) startswith fi", true),
            (
                "join(\"-\", (fd.name, fd.directory)) = /tmp/File-/tmp",
                true,
            ),
            ("join(\",\", (fd.num, \"a\")) = \"3,a\"", true),
            ("join(\",\", ()) = \"\"", true),
            (
                "concat(fd.directory, \"/\", basename(fd.name)) = /tmp/File",
                true,
            ),
            ("getopt((\"-t\", \"x\"), \"t:\")[t] = x", true),
            ("getopt((\"-nt\", \"x\"), \"nt:\") intersects (t)", true),
            // Field to field.
            ("tolower(proc.name) = val(proc.exe)", true),
            ("proc.name = val(proc.exe)", false),
            ("fd.name startswith val(fd.directory)", true),
            ("fd.name endswith tolower(fd.directory)", false),
            ("proc.pid = val(fd.num)", true),
            ("proc.pid < val(proc.vpid)", true),
            ("proc.exe in val(proc.exe)", true),
        ],
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let cases = [
        ("fd.num contains 3", "numbers"),
        ("fd.num = abc", "is not a number"),
        ("fd.sport = -1", "not an unsigned number"),
        ("evt.failed = yes", "true or false"),
        ("evt.failed > 1", "truth values"),
        ("fd.sip = 10.0.0.0/8", "not an address"),
        ("fd.snet = 10.0.0.0/40", "network"),
        ("fd.snet contains 10", "addresses"),
        ("proc.name bcontains xyz", "hexadecimal"),
        ("proc.name regex \"(\"", "invalid regular expression"),
        ("proc.name regex \"a)|(b\"", "invalid regular expression"),
        ("proc.name regex \"(a{1000}){1000}\"", "too large"),
        (
            "proc.nome = x",
            "there is no field proc.nome; proc.name is there",
        ),
        ("fd.name[1] = x", "takes no argument"),
        ("evt.arg = x", "needs an argument"),
        ("tolower(fd.num) = x", "takes one text"),
        ("len(fd.num) = 1", "a text or a list"),
        ("join(\"-\") = x", "2 arguments"),
        ("join(\"a\", \"b\") = x", "2 arguments"),
        ("concat(\"a\") = x", "at least 2"),
        ("getopt((\"a\"), \"b\")[xy] = x", "one letter"),
        ("tolower(proc.name)[1] = x", "nothing in brackets"),
        ("proc.name = val(fd.num)", "different types"),
        ("proc.name in val(fd.types)", "is a list, and one is not"),
        ("proc.name = val(proc.aname)", "several values"),
        ("proc.name regex val(proc.exe)", "cannot compare two fields"),
    ];
    for (condition, message) in cases {
        let loaded = load(&[("r.yaml", &rule(condition))]);
        let errors = errors(&loaded);
        assert!(
            errors.len() == 1 && errors[0].contains(message),
            "{condition}: {errors:?}"
        );
        assert!(errors[0].starts_with("r.yaml:3:"), "{errors:?}");
    }
}
