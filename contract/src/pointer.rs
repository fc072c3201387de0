//! JSON Pointer (RFC 6901): where something is in a JSON document.

use std::borrow::Cow;

/// The pointer to a member, or to an element by its position, of what `parent` points to.
pub fn child(parent: &str, token: &str) -> String {
    format!("{parent}/{}", escaped(token))
}

/// A member's name as a token: `~` is written `~0`, and `/` is `~1`.
pub fn escaped(name: &str) -> Cow<'_, str> {
    match name.contains(['~', '/']) {
        true => Cow::Owned(name.replace('~', "~0").replace('/', "~1")),
        false => Cow::Borrowed(name),
    }
}

/// The name that a token stands for; `None` where it has a `~` that is neither `~0` nor `~1`.
pub fn unescaped(token: &str) -> Option<Cow<'_, str>> {
    if !token.contains('~') {
        return Some(Cow::Borrowed(token));
    }
    let plain = token.replace("~0", "").replace("~1", "");
    (!plain.contains('~')).then(|| Cow::Owned(token.replace("~1", "/").replace("~0", "~")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_from_its_token() {
        for name in ["", "a", "b/c", "~", "~1", "~01", "/~/"] {
            assert_eq!(unescaped(&escaped(name)).as_deref(), Some(name));
        }
        assert_eq!(child("/a", "b/c~d"), "/a/b~1c~0d");
        assert_eq!(child("", "0"), "/0");
    }

    #[test]
    fn a_lone_tilde_is_no_token() {
        for token in ["~", "~2", "a~", "~0~"] {
            assert_eq!(unescaped(token), None, "{token}");
        }
    }
}
