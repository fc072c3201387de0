//! What serde_json says of a bad text.

/// The message without its place, which the caller knows better.
pub fn problem(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    message.truncate(message.rfind(" at line ").unwrap_or(message.len()));
    // serde_json's word for a misspelt literal.
    message.replace("expected ident", "expected true, false or null")
}
