//! Versions: three lines as versions of every order, which must keep the laws of one whatever the lines hold. The
//! property tests of the orders ask the same of texts that look like versions.

use std::cmp::Ordering;

use seareeve_scan::versions::Order;

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "versions",
    run,
    longest: 192,
    seeds,
    words: &[
        "-alpha",
        "-rc.1",
        "+build",
        "~",
        "^",
        "_git",
        "_p",
        "-r1",
        "1:",
        ".el9",
        ".dev1",
        ".post1",
        "rc1",
        "a1",
        "!",
        "-SNAPSHOT",
        ".Final",
        "-sp",
        "go1.21",
        "v",
        "+incompatible",
        "-dev",
        "dev-master",
        ".x-dev",
        "99999999999999999999",
        "0",
        ".0",
        "-0",
    ],
};

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut lines = text.split('\n');
    let a = lines.next().unwrap_or_default();
    let b = lines.next().unwrap_or(a);
    let c = lines.next().unwrap_or(b);
    for order in Order::ALL {
        let compare = |x: &str, y: &str| order.compare(x, y);
        for one in [a, b, c] {
            let itself = compare(one, one);
            assert!(
                itself.is_none() || itself == Some(Ordering::Equal),
                "{order:?} {one}"
            );
        }
        let (ab, bc, ac) = (compare(a, b), compare(b, c), compare(a, c));
        assert_eq!(
            compare(b, a),
            ab.map(Ordering::reverse),
            "{order:?} {a} {b}"
        );
        let (Some(ab), Some(bc), Some(ac)) = (ab, bc, ac) else {
            // Two versions of one order can be compared.
            let are_read = [a, b, c].map(|one| order.reads(one));
            assert!(are_read.contains(&false), "{order:?} {a} {b} {c}");
            continue;
        };
        // Maven's own order is none beyond what its users write: 0 < q0-B7ra < .0.0.0-B7ra < 0.
        if order == Order::Maven {
            continue;
        }
        if ab == bc {
            assert_eq!(ac, ab, "{order:?} {a} {b} {c}");
        }
        if ab == Ordering::Equal {
            assert_eq!(ac, bc, "{order:?} {a} {b} {c}");
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "1.0-1\n1.0-1+deb12u1\n1:0.9~rc1-1",
        "1.2.3-r0\n1.2.3_rc1-r1\n1.2.3_git20230717-r4",
        "5.1.8-6.el9\n5.1.8~beta-1\n1:5^git1-1",
        "1.0.0-alpha.1\n1.0.0-alpha.beta\n1.0.0+b",
        "1.0-SNAPSHOT\n1.0.Final\n1-sp-1",
        "1!2.0.post1.dev2\n2.0rc1\n2.0+ubuntu.1",
        "1.0.0.rc1\n1.0.0.pre\n1.0",
        "v1.2.3+incompatible\ngo1.21rc2\nv0.0.0-20200101000000-abcdefabcdef",
        "dev-master\n1.0.x-dev\n1.0.0-RC1",
        "1.0.0.0\n1.0.0-Beta\n1.0",
        "1.2.3-4\n1.2.3\n1.2.3-10",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
