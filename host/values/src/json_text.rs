//! Error messages of serde_json.

/// The message without its place, because the caller has a better one.
pub fn problem(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    message.truncate(message.rfind(" at line ").unwrap_or(message.len()));
    // serde_json's message for a misspelt literal.
    message.replace("expected ident", "expected true, false or null")
}
