//! Text in XML and HTML.

use super::turns;

/// Escapes text for an element or a quoted attribute of XML and HTML. Characters that XML 1.0 does not know
/// ("Characters", section 2.2), and those that turn the direction of what follows, become U+FFFD. Line ends become
/// those of Unix.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            // Only `]]>` would need it.
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            '\r' => {}
            c if c.is_control() || turns(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_text_before_its_end() {
        for (text, escaped) in [
            ("</script>]]>", "&lt;/script&gt;]]&gt;"),
            ("a\" onload='b&", "a&quot; onload=&#39;b&amp;"),
            ("a\r\n\tb", "a\n\tb"),
            (
                "\0\u{1b}[2J\u{9b}\u{202e}\u{ffff}",
                "\u{fffd}\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}",
            ),
            ("é→𝒳", "é→𝒳"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }
}
