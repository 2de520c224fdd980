//! The laws of a total order, held for every order on versions that look like the real ones.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::Order;

/// Each of these versions is older than the next, whichever way round they are compared.
pub(super) fn rises(compare: fn(&str, &str) -> Option<Ordering>, versions: &[&str]) {
    for pair in versions.windows(2) {
        assert_eq!(compare(pair[0], pair[1]), Some(Ordering::Less), "{pair:?}");
        assert_eq!(
            compare(pair[1], pair[0]),
            Some(Ordering::Greater),
            "{pair:?}"
        );
    }
}

/// Each pair is two spellings of one version.
pub(super) fn same(compare: fn(&str, &str) -> Option<Ordering>, pairs: &[(&str, &str)]) {
    for (a, b) in pairs {
        assert_eq!(compare(a, b), Some(Ordering::Equal), "{a:?} {b:?}");
        assert_eq!(compare(b, a), Some(Ordering::Equal), "{b:?} {a:?}");
    }
}

/// None of these is a version, whatever it is compared with.
pub(super) fn refuses(compare: fn(&str, &str) -> Option<Ordering>, texts: &[&str]) {
    for text in texts {
        assert_eq!(compare(text, text), None, "{text:?}");
        for version in ["1", "1.2.3"] {
            assert_eq!(compare(text, version), None, "{text:?}");
            assert_eq!(compare(version, text), None, "{text:?}");
        }
    }
}

/// Every order, and which texts it is tried on: its own grammar, thick with the corners where orders break.
fn versions(order: Order) -> BoxedStrategy<String> {
    let pattern = match order {
        Order::Dpkg => "([0-2]:)?[0-9]{1,2}([.~+a-c-][0-9a-b~]{0,3}){0,3}(-[0-2~a+]{1,3})?",
        Order::Apk => {
            "[0-2]{1,2}(\\.0?[0-9]{1,2}){0,2}[ab]?(_(alpha|rc|git|p)[0-2]{0,2}){0,2}(~[0-1a]{1,2})?(-r[0-2]{1,2})?"
        }
        Order::Rpm => "([0-2]:)?[0-2]{1,2}([.~^_+a-c][0-2a-b~^]{0,3}){0,3}(-[0-2~^a.]{1,3})?",
        Order::Semver | Order::Bitnami => {
            "[0-2]\\.(0|1|10)\\.[0-1](-(a|b|A|-|0|1|10|rc)(\\.(a|0|2|11)){0,2})?(\\+[0-1])?"
        }
        Order::Npm => {
            "[v= ]{0,2}0?[0-2]\\.(0|1|10)\\.[0-1](-?(a|b|rc|-)(\\.(a|0|02|11)){0,2}|-[0-2])?(\\+[0-1])?"
        }
        Order::Go => {
            "v?[0-2](\\.(0|1|10))?|v?[0-2]\\.[0-1]\\.[0-1](-(rc|0)(\\.[0-2]){0,2})?(\\+incompatible)?|go1(\\.[0-2]((\\.|rc|beta)[0-2])?)?(-x)?"
        }
        Order::Pub => {
            "0?[0-2]\\.(0|1|10)\\.[0-1](-(a|b|-1|0|01|10)(\\.(a|0|2)){0,2})?(\\+(a|0|01|2)(\\.[0-1])?)?"
        }
        Order::Nuget => {
            "0?[0-2]( ?\\. ?(0|1|10)){0,3}(-(a|B|b|-1|-0|0|10|rc|3000000000)(\\.(a|A|0|2)){0,2})?(\\+[0-1])?"
        }
        // Only what is an order in Maven itself.
        Order::Maven => {
            "[0-2](\\.[0-2]){0,2}(-[1-2]|-?(a|b|m|rc|CR|alpha|SNAPSHOT|final|ga|sp|x)([.-]?[1-2])?|\\.(a|RC|Final|x)[1-2]?)?"
        }
        Order::Gem => "[0-2](\\.(0|00|1|10|a|b|rc1|0a|a0)){0,4}(-[0-1a]?-?[0-1ab])?",
        Order::Composer => {
            "v?[0-2](\\.[0-2]){0,3}([._-]?(a|alpha|b|RC|rc|stable|STABLE|p|pl|patch)([.-]?[0-2]){0,2})?([.-]?dev)?(\\+a)?|[0-2](\\.[0-2x]){0,2}(\\.x)?-dev|200[01]-?0[12](-?01)?(-[12])?(-dev|-b1)?"
        }
        Order::Pep440 => {
            "([0-1]!)?[0-2](\\.[0-2]){0,2}((a|b|rc)[0-2])?(\\.post[0-2])?(\\.dev[0-2])?(\\+[a-b0-2](\\.[0-2])?)?"
        }
    };
    proptest::string::string_regex(pattern).unwrap().boxed()
}

fn orders() -> impl Strategy<Value = Order> {
    proptest::sample::select(Order::ALL.as_slice())
}

fn three() -> impl Strategy<Value = (Order, [String; 3])> {
    orders().prop_flat_map(|order| {
        (
            Just(order),
            [versions(order), versions(order), versions(order)],
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12_000))]

    #[test]
    fn orders_are_total((order, [a, b, c]) in three()) {
        let compare = |x: &str, y: &str| order.compare(x, y);
        let (Some(ab), Some(bc), Some(ac)) = (compare(&a, &b), compare(&b, &c), compare(&a, &c)) else {
            return Err(TestCaseError::fail(format!("{order:?} refused one of {a} {b} {c}")));
        };
        prop_assert_eq!(compare(&a, &a), Some(Ordering::Equal));
        prop_assert_eq!(compare(&b, &a), Some(ab.reverse()));
        if ab == bc {
            prop_assert_eq!(ac, ab, "{:?}: {} {} {}", order, a, b, c);
        }
        if ab == Ordering::Equal {
            prop_assert_eq!(ac, bc);
        }
    }

    #[test]
    fn no_text_makes_an_order_panic(order in orders(), a in "\\PC{0,24}", b in "[0-9a-z.:~_+-]{0,24}") {
        let forth = order.compare(&a, &b);
        prop_assert_eq!(forth.map(Ordering::reverse), order.compare(&b, &a));
    }
}
