//! What is a condition and what is none, as Falco's parser has it.

use seareeve_detect::Code;

use crate::support::{load, rule};

/// Whether a condition is read at all; macros and fields need not be there.
fn is_read(condition: &str) -> bool {
    let loaded = load(&[("r.yaml", &rule(condition))]);
    let known = [
        "undefined macro",
        "there is no field",
        "different types",
        "cannot",
        "not a",
        "is not",
    ];
    loaded
        .diagnostics
        .iter()
        .filter(|found| found.code == Code::CompileCondition)
        .all(|found| known.iter().any(|known| found.message.contains(known)))
}

/// Also with other blanks.
fn accepted(conditions: &[&str]) {
    for condition in conditions {
        for text in [
            (*condition).to_owned(),
            format!(" {condition} "),
            format!(" {condition} ").replace(' ', "  "),
        ] {
            assert!(is_read(&text), "{text}");
        }
    }
}

fn refused(conditions: &[&str]) {
    for condition in conditions {
        assert!(!is_read(condition), "{condition}");
    }
}

#[test]
fn joints() {
    accepted(&[
        "m",
        "(m)",
        "m and n",
        "m and n and(o)",
        "(m)and(n)and(o)",
        "m or n or(o)",
        "(m)or(n)",
        "not m",
        "not (m)",
        "not(m)",
        "not not m",
        "not not(m)",
        "not(not(m))",
        "not(m)and(not(n))",
        "notm and n",
        "m and notn",
        "m and and_n",
        "((m) and (or_n))",
        "x.y exists and m",
        "(x.y exists) and (m)",
        "x.y existsand m",
        "x.y = not",
        "x.y=1 or z.y=2 and m",
    ]);
    refused(&[
        "m andn",
        "mand n",
        "m and n and",
        "m or",
        "and m",
        "or m",
        "m not n",
        "m notn",
        "m and or n",
        "m andnot n",
        "(m)andnot(n)",
        "(m",
        "m)",
        "()",
        "#m",
        "m; n",
        "x.y = z = 1",
        "(x.y = 1",
        "m > 12",
        "m (n)",
    ]);
}

#[test]
fn texts() {
    accepted(&[
        "x.y = value",
        "x.y = 0a!@#456:/.;!$%^&*[]{}|",
        "x.y = \"\"",
        "x.y = \"a b\"",
        "x.y = \"a (b), c=d\"",
        "x.y = \"say \\\"so\\\"\"",
        "x.y = \"tab \\t, hex \\x41\"",
        "x.y = \"wrong \\ \"",
        "x.y[a] = b",
        "x.y[0a!@#456:/.;!$%^&*(){}|] = b",
        "x.y[\"\"] = b",
        "x.y[\"a b\"] = c",
        "x.y = *.log",
    ]);
    refused(&[
        "x.y = a,",
        "x.y = a=",
        "x.y = \"a",
        "x.y = \"a\"\"",
        "x.y = a b",
        "x.y = \"\\q\"",
        "x.y = \"\\x4\"",
        "x.y[] = a",
        "x.y[[] = a",
        "x.y[ a ] = b",
        "x.y[ = a",
        "x.y] = a",
    ]);
}

#[test]
fn operators() {
    accepted(&[
        "x.y exists",
        "x.y =v",
        "x.y ==v",
        "x.y !=v",
        "x.y glob v",
        "x.y iglob v",
        "x.y contains v",
        "x.y icontains v",
        "x.y bcontains 4854",
        "x.y startswith v",
        "x.y bstartswith 48",
        "x.y endswith v",
        "x.y regex v",
        "x.y >1",
        "x.y < 1",
        "x.y >= -1",
        "x.y <= 0x1F",
        "x.y > 1.2",
        "x.y > -0.12e+10",
        "x.y in ()",
        "x.y in()",
        "x.y in (a)",
        "x.y in (a, \"b\", c.d)",
        "x.y intersects (a)",
        "x.y pmatch (a)",
        "x.y in name",
    ]);
    refused(&[
        "x.y ExIsTs",
        "x.y exists a",
        "x.y ===",
        "x.y === v",
        "x.y !==",
        "x.y containsv",
        "x.y globv",
        "x.y startswithv",
        "x.y >",
        "x.y > v",
        "x.y <= 0aa",
        "x.y in",
        "x.y in (a,)",
        "x.y in (,)",
        "x.y in (a,,b)",
        "x.y in (a",
        "x.y = (a)",
        "x.y > (a)",
        "x.y contains (a)",
        "x.y like a",
    ]);
}

#[test]
fn modifiers() {
    accepted(&[
        "x.y = oneof (a, b)",
        "x.y == anyof (a)",
        "x.y != allof ()",
        "x.y contains anyof (a, b)",
        "x.y startswith oneof name",
        "x.y = oneof",
        "x.y == anyof and m",
        "(x.y == oneof)",
        "x.y = oneof_more",
        "x.y == 'oneof'",
        "x.y == oneof oneof",
    ]);
    refused(&[
        "x.y ==oneof (a)",
        "x.y == oneof(a)",
        "x.y == ONEOF (a)",
        "x.y > oneof (1)",
        "x.y in oneof (a)",
        "x.y contains oneof(a)",
        "x.y == oneof_more (a)",
        "x.y == oneof (a,)",
        "x.y == oneof (a",
    ]);
}

#[test]
fn transformers() {
    accepted(&[
        "tolower(x.y) = a",
        "b64( x.y) exists",
        "b64(x.y ) exists",
        "toupper(b64(x.y)) exists",
        "join(\"-\", (x.y, x.z)) = a",
        "join(\"-\", ()) = a",
        "concat(x.y, \"a\") = b",
        "len(x.y) > 5",
        "getopt(x.y, \"nt:\")[t] = a",
        "x.y = val(x.z)",
        "x.y startswith tolower(x.z)",
        "x.y in val(x.z)",
        "x.y = test.field",
        "tolower(x.y) = b64(x.z)",
        "x.y = b64 and(m)",
    ]);
    refused(&[
        "val(x.y) exists",
        "b64(val(x.y)) exists",
        "b64 (x.y) exists",
        "fake(x.y) exists",
        "b64(x.y exists",
        "b64(x.y)) exists",
        "b64(x) exists",
        "x.y = val(val(x.z))",
        "x.y = val(tolower(x.z))",
        "x.y = (b64(x.z))",
        "x.y in (b64(x.z))",
        "join(\"-\", (x.y,)) = a",
        "join(\"-\", ((x.y))) = a",
        "join(\"-\", (m)) = a",
        "x.y = b64and(m)",
        "b64(x.y [1]) exists",
    ]);
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| format!("{}m{}", "(".repeat(depth), ")".repeat(depth));
    assert!(is_read(&nested(90)));
    for text in [
        nested(1_000),
        "(".repeat(100_000),
        "not(".repeat(100_000),
        "b64(".repeat(100_000),
    ] {
        assert!(!is_read(&text));
    }
    // What is long and not deep is fine.
    assert!(is_read(&vec!["m"; 10_000].join(" and ")));
    assert!(is_read(&format!("{}m", "not ".repeat(10_000))));
}
