//! Setters of options structs: such a struct is `#[non_exhaustive]`, so that it can grow, and users
//! begin with its default.

/// Writes a setter for each of the named fields of a struct.
#[doc(hidden)]
#[macro_export]
macro_rules! setters {
    ($options:ty { $($field:ident: $of:ty),+ $(,)? }) => {
        impl $options {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](field@Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $of) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }
    };
}
