//! The two forms that rows come in, and go out in.

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON array of objects.
    Array,
    /// An object a line: NDJSON.
    Lines,
}

impl Form {
    /// The form that a `content-type` names; none where it is another, or in another encoding than
    /// UTF-8.
    pub fn of(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        let form = match parts.next()?.to_ascii_lowercase().as_str() {
            "application/json" => Form::Array,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Form::Lines,
            _ => return None,
        };
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim_matches('"');
            if name.eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
                return None;
            }
        }
        Some(form)
    }

    /// The `content-type` of rows in this form.
    pub fn content_type(self) -> &'static str {
        match self {
            Form::Array => "application/json",
            Form::Lines => "application/x-ndjson",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_form_is_known_by_its_type_whatever_its_case_and_parameters() {
        assert_eq!(Form::of("application/json"), Some(Form::Array));
        assert_eq!(Form::of("Application/JSON; charset=\"UTF-8\""), Some(Form::Array));
        assert_eq!(Form::of("application/x-ndjson;charset=utf-8; q=1"), Some(Form::Lines));
        assert_eq!(Form::of("application/jsonl"), Some(Form::Lines));
    }

    #[test]
    fn another_type_and_another_encoding_are_no_form() {
        for other in ["", "text/plain", "application/json+x", "application/json; charset=latin1"] {
            assert_eq!(Form::of(other), None, "{other}");
        }
    }
}
