//! Expressions of users' own checks: any text, on any document. It is refused, or evaluated within its budget, twice
//! with the same result and at the same price.

use seareeve_cel::{Bindings, Budget, Environment, Limits};
use serde_json::Value as Json;

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "cel",
    run,
    longest: 1024,
    seeds,
    words: &[
        "it",
        ".?",
        "[?",
        "orValue(",
        ".all(x, ",
        ".exists(x, ",
        ".map(x, ",
        ".filter(x, ",
        "exists_one(",
        "transformMap(k, v, ",
        "transformList(i, v, ",
        "sortBy(x, ",
        "optMap(x, ",
        "cel.bind(x, ",
        "has(it.a)",
        "&&",
        "||",
        "==",
        "!=",
        " in ",
        "0x1F",
        "1u",
        "1.5e3",
        "9223372036854775807",
        "r\"",
        "b'\\xff'",
        "'''",
        "\\u00e9",
        "size(",
        "type(",
        "string(",
        "int(",
        "double(",
        "bytes(",
        "timestamp('2024-02-29T12:00:00Z')",
        "duration('1h30m')",
        ".getHours('Europe/Berlin')",
        ".matches('^a+$')",
        ".findAll(",
        ".format([",
        "%.3f",
        ".split(",
        ".replace(",
        ".substring(",
        ".indexOf(",
        ".join(",
        ".flatten()",
        ".distinct()",
        ".sort()",
        "lists.range(",
        "math.greatest(",
        "math.bitShiftLeft(",
        "sets.contains(",
        "base64.decode(",
        "optional.of(",
        "optional.none()",
        "quantity('1.5Gi')",
        "ip('::1')",
        "cidr('10.0.0.0/8')",
        ".containsIP(",
        "url('https://h:1/p?q=1')",
        ".getQuery()",
        "semver('1.2.3')",
        ".compareTo(",
        "format.dns1123Label()",
        ".validate(",
    ],
};

const STEPS: u64 = 20_000;
const BYTES: u64 = 1 << 20;

/// An expression and, behind a zero, the document that it is about.
fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (text, document) = text.split_once('\0').unwrap_or((text, "null"));
    let document: Json = serde_json::from_str(document).unwrap_or(Json::Null);
    let environment = Environment::new().variable("it");
    let Ok(program) = environment.compile(text, &Limits::default()) else {
        return;
    };
    let bindings = Bindings::new(&environment).with("it", &document);
    let mut budget = Budget::new(STEPS, BYTES);
    let result = program.evaluate(&bindings, &mut budget);
    assert!(budget.steps_used() <= STEPS && budget.bytes_used() <= BYTES);
    let mut again = Budget::new(STEPS, BYTES);
    let repeated = program.evaluate(&bindings, &mut again);
    assert_eq!(result.as_ref().err(), repeated.as_ref().err());
    assert_eq!(
        (budget.steps_used(), budget.bytes_used()),
        (again.steps_used(), again.bytes_used())
    );
    if let (Ok(value), Ok(repeated)) = (&result, &repeated) {
        let shown = value.to_text(&mut Budget::new(STEPS, BYTES));
        assert_eq!(shown, repeated.to_text(&mut Budget::new(STEPS, BYTES)));
        let _ = value.to_json(&mut Budget::new(STEPS, BYTES));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "it.spec.containers.all(c, !c.?securityContext.?privileged.orValue(false))\0{\"spec\":{\"containers\":[{\"securityContext\":{\"privileged\":true}}]}}",
        "has(it.a) && it.a in ['x', 'y'] ? it.b[0] + 1 : -2\0{\"a\":\"x\",\"b\":[1]}",
        "it.map(x, x * 2).filter(x, x > 2).exists_one(x, x % 3 == 0)\0[1,2,3]",
        "it.transformMap(k, v, v > 1, string(v)).transformList(k, v, k + v)\0{\"a\":1,\"b\":2}",
        "cel.bind(x, it.size(), [x, x].map(y, [y, x])) == [[1u, 1.0], [1, 1]]\0[null]",
        "'%s %d %.2f %x %e'.format([it, 1, 2.5, b'\\xff', 1e10])\0{\"k\":[true,null]}",
        "'a,b'.split(',').join('-').replace('a', 'b', 1).substring(1).reverse().matches(r'^\\w-[[:alpha:]]$')",
        "timestamp('2024-02-29T12:00:00.5+02:00').getHours('Europe/Berlin') + duration('1h30m').getMinutes()",
        "quantity('1.5Gi').add(quantity('500m')).compareTo(quantity('1e9')) == 1",
        "cidr('10.0.0.0/8').containsIP(ip('10.1.2.3')) || ip('::1').isLoopback()",
        "url('https://u@[::1]:80/a%20b?x=1&x=2').getQuery()['x'][0]",
        "semver('v1.2', true).isLessThan(semver('1.3.0-rc.1+b'))",
        "format.named('uuid').value().validate('x').orValue([]).size()",
        "[3, 1u, 2.5].sort() + lists.range(3).slice(0, 2).flatten().distinct()",
        "math.greatest([1, 2.5, 3u]) + math.bitShiftLeft(1, 3) - math.abs(-1)",
        "sets.intersects(it, [1, 2]) && base64.decode('aGk') == b'hi'\0[2]",
        "{?'a': optional.of(1), 'b': [?optional.none()]}.?a.optMap(x, x + 1).or(optional.of(2)).value()",
        "'''triple ' \\u00e9''' + r\"raw\\n\" + \"\\x41\\101\" // comment",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
