//! What users see, scenario by scenario: always against the emulator, and against a live Tecton if
//! four environment variables name one (`cargo xtask test` looks for them).
//!
//! An emulator also shows that the variables lead to a Tecton: `by_variables` finds it in the same
//! way as a live one, and has to generate its rows from the metadata of the feature service.

mod scenario;
mod tecton;

/// Every scenario as a test against one Tecton.
macro_rules! against {
    ($tecton:expr, $when:meta) => {
        against!($tecton, $when:
            a_feature_service_that_is_not_there_is_an_error_of_status_404
            a_workspace_that_is_not_there_is_an_error_of_status_404
            a_key_that_is_not_valid_is_an_error_of_status_401_or_403
            an_entity_that_is_not_there_is_its_row_with_null_features
            an_entity_that_is_there_is_its_row_with_its_features
            rows_are_asked_for_in_groups_and_each_gets_its_own_answer
        );
    };
    ($tecton:expr, $when:meta: $($scenario:ident)*) => {$(
        #[test]
        #[$when]
        fn $scenario() {
            super::scenario::$scenario(&$tecton);
        }
    )*};
}

mod emulator {
    against!(super::tecton::Tecton::of_planes(), doc = "Always.");
}

mod by_variables {
    against!(super::tecton::of_an_emulator(None), doc = "Always.");
}

mod by_variables_and_an_entity {
    against!(super::tecton::of_an_emulator(Some(super::tecton::SHOPPER)), doc = "Always.");
}

mod live {
    against!(
        super::tecton::live(),
        ignore = "wants TECTON_URL, TECTON_API_KEY, TECTON_WORKSPACE and TECTON_FEATURE_SERVICE"
    );
}
