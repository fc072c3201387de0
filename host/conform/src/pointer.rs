//! JSON Pointers (RFC 6901), and whether they lead anywhere.

use beamlet_contract::pointer::unescaped;
use serde_json::Value;

/// Whether a pointer leads to a value, or to where one could be; the error says why not.
pub(super) fn leads(pointer: &str, config: &Value) -> Result<(), String> {
    if pointer.is_empty() {
        return Ok(());
    }
    let Some(tokens) = pointer.strip_prefix('/') else {
        return Err("which does not start with a slash".to_owned());
    };
    let mut value = Some(config);
    let mut so_far = String::new();
    for token in tokens.split('/') {
        let key = unescaped(token).ok_or("which has a `~` that is neither `~0` nor `~1`")?;
        value = match value {
            // What is not there may have anything in it.
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => map.get(&*key),
            Some(Value::Array(list)) => match key.parse::<usize>() {
                Ok(at) => list.get(at),
                Err(_) => return Err(format!("and {so_far:?} is an array")),
            },
            Some(other) => {
                let is = beamlet_config::kind(other);
                return Err(format!("and {so_far:?} is {is}, with nothing in it"));
            }
        };
        so_far = format!("{so_far}/{token}");
    }
    Ok(())
}

/// The pointer to what is around, and the key in it; `None` for the whole.
pub(super) fn parent(pointer: &str) -> Option<(&str, String)> {
    let (parent, token) = pointer.rsplit_once('/')?;
    Some((parent, unescaped(token)?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_leads_to_what_is_there_and_to_what_is_missing() {
        let config = json!({ "a": { "b/c": [1, { "d": null }] }, "": 1 });
        for pointer in ["", "/", "/a", "/a/b~1c/1/d", "/a/none", "/none/deeper", "/a/b~1c/1/d/e"] {
            assert_eq!(leads(pointer, &config), Ok(()), "{pointer}");
        }
    }

    #[test]
    fn what_is_no_pointer_or_leads_through_a_value_is_told() {
        let config = json!({ "a": 1, "b": [] });
        let why = |pointer| leads(pointer, &config).unwrap_err();
        assert_eq!(why("a"), "which does not start with a slash");
        assert_eq!(why("/~2"), "which has a `~` that is neither `~0` nor `~1`");
        assert_eq!(why("/a/x"), "and \"/a\" is a number, with nothing in it");
        assert_eq!(why("/b/x"), "and \"/b\" is an array");
    }

    #[test]
    fn the_parent_of_a_pointer_is_what_is_around() {
        assert_eq!(parent("/a/b~1c"), Some(("/a", "b/c".to_owned())));
        assert_eq!(parent("/a"), Some(("", "a".to_owned())));
        assert_eq!(parent(""), None);
    }
}
