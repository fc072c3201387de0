//! Floats that JSON has no number for. They are strings, as in protobuf's JSON mapping.

/// Not a number.
pub const NAN: &str = "NaN";
/// Above all numbers.
pub const INFINITY: &str = "Infinity";
/// Below all numbers.
pub const NEG_INFINITY: &str = "-Infinity";

/// The name of a float that JSON has no number for; `None` for a finite number.
pub const fn name(value: f64) -> Option<&'static str> {
    match value {
        f64::INFINITY => Some(INFINITY),
        f64::NEG_INFINITY => Some(NEG_INFINITY),
        _ if value.is_nan() => Some(NAN),
        _ => None,
    }
}

/// The float of a name; `None` where the text is no such name.
pub fn named(name: &str) -> Option<f64> {
    match name {
        NAN => Some(f64::NAN),
        INFINITY => Some(f64::INFINITY),
        NEG_INFINITY => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The nearest float32; `None` where a finite number would become infinite.
pub fn narrowed(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (narrow.is_finite() || !value.is_finite()).then_some(narrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_has_a_name_and_reads_back() {
        for value in [f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(name(value).and_then(named), Some(value));
        }
        assert!(name(-f64::NAN).and_then(named).is_some_and(f64::is_nan));
        assert_eq!((name(0.0), named("nan"), named("inf")), (None, None, None));
    }

    #[test]
    fn a_number_does_not_become_infinity() {
        assert_eq!(narrowed(0.1), Some(0.1));
        assert_eq!(narrowed(1e39), None);
        assert_eq!(narrowed(f64::INFINITY), Some(f32::INFINITY));
        assert!(narrowed(f64::NAN).is_some_and(f32::is_nan));
    }
}
