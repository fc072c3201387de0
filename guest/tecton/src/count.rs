//! Counts in messages.

/// `1 row`, `2 rows`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    match (number, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_is_one_and_the_others_are_many() {
        let told = [0, 1, 2].map(|number| super::count(number, "entity"));
        assert_eq!(told, ["0 entities", "1 entity", "2 entities"]);
        assert_eq!(super::count(3, "row"), "3 rows");
    }
}
