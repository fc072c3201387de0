//! The list of all checks: name, promise, and where the contract makes the promise.

use super::breach::Verdict;
use super::subject::Subject;
use super::{config, counters, describe, inputs, lifecycle, odd, order, outputs, store, text};
use std::future::Future;
use std::pin::Pin;

type Scenario = for<'s> fn(&'s Subject) -> Pin<Box<dyn Future<Output = Verdict> + Send + 's>>;

/// A check of one promise of the contract.
pub struct Check {
    /// The name: the group, a slash, and the subject. Names are stable.
    pub name: &'static str,
    /// The promise, in a sentence.
    pub promise: &'static str,
    /// Where the contract makes it: a file, and the item in it.
    pub place: &'static str,
    pub(super) scenario: Scenario,
}

macro_rules! checks {
    ($($name:literal $scenario:path: $promise:literal, $place:literal;)*) => {
        &[$(Check {
            name: $name,
            promise: $promise,
            place: $place,
            scenario: |subject| Box::pin($scenario(subject)),
        }),*]
    };
}

/// All checks, in the order in which they run.
pub const CHECKS: &[Check] = checks![
    "describe/name" describe::name: "a handler has a short name and a semantic version",
        "wit/handler.wit, description";
    "describe/stable" describe::stable: "a handler describes itself in the same way each time",
        "wit/handler.wit, describe";
    "describe/schema" describe::is_schema: "the configuration's schema is a JSON Schema, draft 2020-12",
        "wit/handler.wit, description.config-schema";
    "config/accepts" config::accepted: "`validate` and `setup` accept the given configuration",
        "wit/handler.wit, validate";
    "config/schema-accepts" describe::accepts: "the schema accepts a configuration that `validate` accepts",
        "wit/handler.wit, description.config-schema";
    "config/asks-no-store" config::asks_no_store: "`describe`, `validate` and `setup` do not call the store",
        "wit/handler.wit, describe, validate and handler.setup";
    "config/odd-texts" config::odd_texts: "a text that is not one JSON object is reported as a problem",
        "wit/handler.wit, validate";
    "config/problems" config::problems: "a rejected configuration comes with a message about what is wrong",
        "wit/types.wit, diagnostic.message";
    "config/pointers" config::pointers: "each problem's path is a JSON Pointer to a place in the configuration",
        "wit/types.wit, diagnostic.path";
    "config/secrets" config::secrets: "no problem contains a secret",
        "wit/types.wit, diagnostic.message";
    "config/setup-agrees" config::setup_agrees: "`setup` rejects exactly what `validate` rejects",
        "wit/handler.wit, validate and handler.setup";
    "inputs/unique" inputs::unique: "each field is listed once",
        "wit/handler.wit, handler.inputs";
    "outputs/declared" outputs::declared: "each output has a name of its own, and a type of the contract",
        "wit/handler.wit, field";
    "outputs/stable" outputs::stable: "outputs are the same each time, in the same order",
        "wit/handler.wit, handler.outputs";
    "lifecycle/one-bundle" lifecycle::one_bundle: "a bundle of ordinary rows is answered",
        "wit/handler.wit, enrichment-handler";
    "answers/count" order::form: "each row that was given is answered exactly once",
        "wit/handler.wit, bundle.finish";
    "answers/not-ahead" order::form: "there are never more answers than given rows",
        "wit/handler.wit, bundle.process";
    "answers/ascending" order::form: "`missing`, `null-keys` and `failures` ascend",
        "wit/types.wit, enriched";
    "answers/in-range" order::form: "`missing`, `null-keys` and `failures` name existing rows",
        "wit/types.wit, enriched";
    "answers/disjoint" order::form: "no row is in two of `missing`, `null-keys` and `failures`",
        "wit/types.wit, enriched";
    "answers/null-fields" order::form: "a row that failed has null fields; one that is missing or has a null key has a null field",
        "wit/types.wit, enriched.fields";
    "columns/length" order::form: "a column has as many values as there are rows",
        "wit/types.wit, column.values";
    "columns/nulls" order::form: "the nulls of a column are ascending positions of rows",
        "wit/types.wit, column.nulls";
    "columns/texts" order::form: "the ends of texts ascend, at character boundaries, to the end of the text",
        "wit/types.wit, texts.ends";
    "columns/unique" order::form: "a field's name is unique in its batch",
        "wit/types.wit, column.name";
    "columns/json" order::form: "a value of `json` is a JSON text",
        "wit/types.wit, values.json";
    "columns/decimals" order::form: "a value of `decimals` is a decimal number",
        "wit/types.wit, values.decimals";
    "outputs/fields" outputs::answers: "an answer has the fields that `outputs` declares",
        "wit/handler.wit, handler.outputs";
    "outputs/types" outputs::answers: "fields have the types that `outputs` declares",
        "wit/handler.wit, field.type";
    "outputs/order" order::form: "fields come in the same order in all answers",
        "wit/handler.wit, handler.outputs";
    "inputs/stable" inputs::stable: "the list of input fields does not change",
        "wit/handler.wit, handler.inputs";
    "lifecycle/bundles" lifecycle::bundles: "an instance serves several bundles",
        "wit/handler.wit, enrichment-handler";
    "lifecycle/dropped-bundle" lifecycle::dropped: "a bundle may be dropped, and does not affect the next one",
        "wit/handler.wit, handler.start-bundle";
    "lifecycle/instances" lifecycle::instances: "instances do not affect each other",
        "wit/handler.wit, enrichment-handler";
    "lifecycle/empty-bundle" lifecycle::empty_bundle: "a bundle may have no rows",
        "wit/handler.wit, enrichment-handler";
    "lifecycle/empty-calls" lifecycle::empty_calls: "a call of `process` may have no rows",
        "wit/types.wit, batch.rows";
    "lifecycle/tear-down" lifecycle::tear_down: "dropping the handler tears it down without a trap",
        "wit/handler.wit, enrichment-handler";
    "answers/order" order::order: "answers come in the order of the rows",
        "wit/handler.wit, bundle.process";
    "answers/alone" order::alone: "a row gets the same answer alone and among others",
        "wit/handler.wit, bundle.process";
    "answers/cuts" order::cuts: "a row gets the same answer however rows are split into calls",
        "wit/handler.wit, bundle.process";
    "answers/duplicates" order::duplicates: "equal rows get equal answers, one for each row",
        "wit/handler.wit, bundle.finish";
    "answers/nulls" order::nulls: "rows with only nulls are answered, and a null key is not reported as missing",
        "wit/types.wit, enriched.null-keys";
    "answers/late" order::late: "the order holds when the store's answers come out of order",
        "wit/handler.wit, bundle.process";
    "answers/many" order::many: "a bundle may have very many rows",
        "wit/handler.wit, bundle.process";
    "odd/texts" odd::texts: "unusual texts are answered or rejected, without a trap",
        "wit/types.wit, error-kind.invalid-input";
    "odd/numbers" odd::numbers: "unusual numbers are answered or rejected, without a trap",
        "wit/types.wit, error-kind.invalid-input";
    "odd/types" odd::types: "columns of any type are answered or rejected, without a trap",
        "wit/types.wit, values";
    "inputs/required" inputs::required: "a row without a required field is rejected",
        "wit/handler.wit, input.required";
    "inputs/optional" inputs::optional: "an absent optional field counts as null",
        "wit/handler.wit, input.required";
    "inputs/withheld" inputs::withheld: "only fields that `inputs` names are used",
        "wit/handler.wit, handler.inputs";
    "check/findings" outputs::findings: "findings have a place in the configuration, and a message",
        "wit/handler.wit, finding";
    "check/agrees" outputs::agrees: "`check` agrees with `outputs` and with a run",
        "wit/handler.wit, handler.check";
    "counters/names" counters::names: "counters have names in snake case, each once",
        "wit/handler.wit, counter.name";
    "counters/standard" counters::standard: "the three counters that users know from Beam exist",
        "docs/guide/writing-a-handler.md, counters";
    "counters/monotonous" counters::monotonous: "counters never decrease",
        "wit/handler.wit, handler.counters";
    "counters/exact" counters::exact: "each enriched row and each request is counted once",
        "docs/guide/writing-a-handler.md, counters";
    "counters/errors" counters::errors: "each failed request is counted once",
        "docs/guide/writing-a-handler.md, counters";
    "store/survives" store::survives: "no call traps when the store fails",
        "wit/types.wit, row-failure";
    "store/rows" store::survives: "no row is lost when the store fails",
        "wit/handler.wit, bundle.finish";
    "store/failures" store::no_answer_made_up: "a row without an answer from the store is a failure, neither missing nor enriched",
        "wit/types.wit, enriched";
    "store/kinds" store::kinds: "an error's kind says what went wrong",
        "wit/types.wit, error-kind";
    "store/status" store::statuses: "an error has the status that the store answered with",
        "wit/types.wit, error.http-status";
    "store/retryable" store::retryable: "an error says whether the same rows may succeed later",
        "wit/types.wit, error.retryable";
    "store/retry-after" store::retry_after: "an error says how long the store asks to wait",
        "wit/types.wit, error.retry-after-ms";
    "store/recovers" store::recovers: "an instance recovers when its store does",
        "wit/handler.wit, enrichment-handler";
    "store/outputs" store::outputs: "`outputs` is an error when the store fails",
        "wit/handler.wit, handler.outputs";
    "store/check" store::check: "`check` reports a problem when the store fails",
        "wit/handler.wit, handler.check";
    "text/describe" text::describe: "`describe` is the same in both interfaces",
        "wit/handler.wit, enrichment-json.describe";
    "text/validate" text::validate: "`validate` is the same in both interfaces",
        "wit/handler.wit, enrichment-json.validate";
    "text/answer" text::answer: "`enrich` answers in the form of the contract, row by row",
        "wit/handler.wit, enrichment-json.enrich";
    "text/agrees" text::agrees: "`enrich` agrees with enrichment-handler",
        "wit/handler.wit, enrichment-json";
    "text/own-fields" text::own_fields: "a row's own fields come first, unchanged",
        "wit/handler.wit, enrichment-json.enrich";
    "text/errors" text::errors: "what cannot be enriched is reported as `error` or `problems`",
        "wit/handler.wit, enrichment-json.enrich";
];

#[cfg(test)]
mod tests {
    use super::CHECKS;
    use std::collections::HashSet;
    use std::path::Path;

    #[test]
    fn each_check_has_a_name_of_its_own_and_a_place_that_there_is() {
        let mut names = HashSet::new();
        for check in CHECKS {
            assert!(names.insert(check.name), "{} twice", check.name);
            assert_eq!(check.name.matches('/').count(), 1, "{}", check.name);
            let (file, items) = check.place.split_once(", ").unwrap();
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
            let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
            for item in items.split(" and ").flat_map(|items| items.split(", ")) {
                let item = item.rsplit('.').next().unwrap();
                assert!(text.contains(item), "{}: {item} is not there", check.name);
            }
        }
    }
}
